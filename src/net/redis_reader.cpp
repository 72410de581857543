#include "redis_reader.hpp"

#include "gatehouse/core/limits.hpp"

#include <exception>
#include <hiredis/hiredis.h>
#include <new>
#include <utility>
#include <vector>

namespace gatehouse::net {
namespace {

using app::RedisReply;

constexpr int kMostElements = 65536;

// hiredis calls these while it parses. It is C: no exception may pass, and a null pointer ends the
// parsing. What they return for an element lives in its list.
RedisReply* place(const redisReadTask* task, RedisReply::Kind kind) noexcept {
    try {
        RedisReply* reply = nullptr;
        if (task->parent == nullptr) {
            reply = new RedisReply;  // owned by the reader until redisReaderGetReply gives it out
        } else {
            auto* list = static_cast<RedisReply*>(task->parent->obj);
            reply = &list->list.at(static_cast<std::size_t>(task->idx));
        }
        reply->kind = kind;
        return reply;
    } catch (const std::exception&) {
        return nullptr;
    }
}

void drop(const redisReadTask* task, RedisReply* reply) noexcept {
    if (task->parent == nullptr) delete reply;
}

void* create_string(const redisReadTask* task, char* bytes, std::size_t length) {
    RedisReply* reply = place(
        task, task->type == REDIS_REPLY_ERROR ? RedisReply::Kind::error : RedisReply::Kind::text);
    if (reply == nullptr) return nullptr;
    try {
        reply->text.assign(bytes, length);
        return reply;
    } catch (const std::exception&) {
        drop(task, reply);
        return nullptr;
    }
}

void* create_array(const redisReadTask* task, int elements) {
    if (elements < 0 || elements > kMostElements) return nullptr;
    RedisReply* reply = place(task, RedisReply::Kind::list);
    if (reply == nullptr) return nullptr;
    try {
        reply->list.resize(static_cast<std::size_t>(elements));
        return reply;
    } catch (const std::exception&) {
        drop(task, reply);
        return nullptr;
    }
}

void* create_integer(const redisReadTask* task, long long value) {
    RedisReply* reply = place(task, RedisReply::Kind::integer);
    if (reply != nullptr) reply->integer = value;
    return reply;
}

void* create_nil(const redisReadTask* task) {
    return place(task, RedisReply::Kind::nil);
}

// Only ever a whole reply: its elements are in it.
void free_reply(void* reply) {
    delete static_cast<RedisReply*>(reply);
}

redisReplyObjectFunctions functions{
    create_string, create_array, create_integer, create_nil, free_reply};

}  // namespace

void RedisReader::Free::operator()(redisReader* reader) const noexcept {
    redisReaderFree(reader);
}

RedisReader::RedisReader() : reader_(redisReaderCreateWithFunctions(&functions)) {
    if (!reader_) throw std::bad_alloc();
}

RedisReader::~RedisReader() = default;

bool RedisReader::feed(std::string_view bytes) {
    const std::size_t waiting = reader_->len - reader_->pos;
    failed_ = failed_ || waiting + bytes.size() > limits::kSharedReplyBytes ||
              redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK;
    return !failed_;
}

std::optional<RedisReply> RedisReader::next() {
    void* found = nullptr;
    if (failed_ || redisReaderGetReply(reader_.get(), &found) != REDIS_OK) {
        failed_ = true;
        return std::nullopt;
    }
    if (found == nullptr) return std::nullopt;
    const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(found));
    return std::move(*reply);
}

std::string format_command(const app::RedisCommand& command) {
    std::vector<const char*> words;
    std::vector<std::size_t> lengths;
    for (const std::string& word : command) {
        words.push_back(word.data());
        lengths.push_back(word.size());
    }
    char* bytes = nullptr;
    const int length = redisFormatCommandArgv(
        &bytes, static_cast<int>(words.size()), words.data(), lengths.data());
    if (length < 0) throw std::bad_alloc();
    std::string text(bytes, static_cast<std::size_t>(length));
    redisFreeCommand(bytes);
    return text;
}

}  // namespace gatehouse::net
