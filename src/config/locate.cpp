#include "gatehouse/config/locate.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/json_pointer.hpp"
#include "scanner.hpp"

#include <charconv>
#include <map>
#include <memory>
#include <utility>

namespace gatehouse::config {
namespace {

using Kind = Scanner::Kind;

std::string decode_key(const Scanner::Token& token) {
    std::string_view text = token.text;
    if (text.find('\\') == std::string_view::npos) {
        if (!text.empty()) text.remove_prefix(1);
        if (token.closed && !text.empty()) text.remove_suffix(1);
        return std::string(text);
    }
    const Result<Json> value = parse_json(text);
    return value && value->is_string() ? value->get<std::string>() : std::string(text);
}

// Reads a text and tells the visitor of every value: enter, leave, member, element. A visitor that
// returns false ends it.
template <class Visitor>
class Walk {
  public:
    Walk(std::string_view text, Visitor& visitor) : scanner_(text), visitor_(visitor) {}

    void run() {
        for (Scanner::Token token = scanner_.next(); token.kind != Kind::end;
             token = scanner_.next()) {
            if (!take(token)) return;
        }
    }

  private:
    struct Frame {
        bool object;
        bool key_next;
        std::size_t elements = 0;
    };

    bool take(const Scanner::Token& token) {
        switch (token.kind) {
            case Kind::open:
                if (!begin_value(token.line)) return false;
                frames_.push_back({token.text == "{", token.text == "{"});
                return visitor_.enter(token.line);
            case Kind::close:
                if (frames_.empty()) return false;
                frames_.pop_back();
                visitor_.leave();
                return true;
            case Kind::comma:
                if (!frames_.empty()) frames_.back().key_next = frames_.back().object;
                return true;
            case Kind::string:
                if (frames_.empty() || !frames_.back().key_next) return begin_value(token.line);
                frames_.back().key_next = false;
                return visitor_.member(decode_key(token), token.line);
            case Kind::word:
                return begin_value(token.line);
            default:
                return true;
        }
    }

    bool begin_value(int line) {
        if (frames_.empty() || frames_.back().object)
            return true;  // its member was told with the key
        return visitor_.member(std::to_string(frames_.back().elements++), line);
    }

    Scanner scanner_;
    Visitor& visitor_;
    std::vector<Frame> frames_;
};

// The wanted pointers as a tree, so that the text is read once however many there are.
struct Wanted {
    int line = 0;
    std::map<std::string, std::unique_ptr<Wanted>, std::less<>> below;
};

std::vector<std::string> split_pointer(std::string_view pointer) {
    std::vector<std::string> tokens;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const std::size_t end = std::min(pointer.find('/'), pointer.size());
        std::string token;
        for (std::size_t i = 0; i < end; ++i) {
            const bool escape = pointer[i] == '~' && i + 1 < end;
            token += escape ? (pointer[i + 1] == '1' ? '/' : '~') : pointer[i];
            if (escape) ++i;
        }
        tokens.push_back(std::move(token));
        pointer.remove_prefix(end);
    }
    return tokens;
}

class LineFinder {
  public:
    explicit LineFinder(Wanted& root) : next_(&root) {}

    bool enter(int line) {
        if (open_.empty() && next_ != nullptr) next_->line = line;
        open_.push_back(next_);
        next_ = nullptr;
        return true;
    }

    void leave() { open_.pop_back(); }

    bool member(const std::string& name, int line) {
        next_ = nullptr;
        Wanted* parent = open_.empty() ? nullptr : open_.back();
        if (parent == nullptr) return true;
        const auto it = parent->below.find(name);
        if (it == parent->below.end()) return true;
        next_ = it->second.get();
        if (next_->line == 0) next_->line = line;
        return true;
    }

  private:
    Wanted* next_;
    std::vector<Wanted*> open_;
};

class DuplicateFinder {
  public:
    bool enter(int) {
        open_.push_back({std::move(pointer_), {}});
        pointer_.clear();
        return true;
    }

    void leave() { open_.pop_back(); }

    bool member(const std::string& name, int line) {
        if (open_.empty()) return true;
        pointer_ = append_pointer(open_.back().pointer, name);
        const auto [it, fresh] = open_.back().seen.emplace(name, line);
        if (!fresh) found = Duplicate{pointer_, line, it->second};
        return fresh;
    }

    std::optional<Duplicate> found;

  private:
    struct Level {
        std::string pointer;
        std::map<std::string, int> seen;
    };

    std::string pointer_;
    std::vector<Level> open_;
};

class DepthFinder {
  public:
    explicit DepthFinder(int most) : most_(most) {}

    bool enter(int at) {
        if (++depth_ > most_) line = at;
        return depth_ <= most_;
    }

    void leave() { --depth_; }

    bool member(const std::string&, int) { return true; }

    int line = 0;

  private:
    int most_;
    int depth_ = 0;
};

bool is_value_end(Kind kind) {
    return kind == Kind::string || kind == Kind::word || kind == Kind::close;
}

bool is_value_begin(Kind kind) {
    return kind == Kind::string || kind == Kind::word || kind == Kind::open;
}

std::string name_fault(const Scanner::Token& previous, const Scanner::Token& token) {
    if (token.kind == Kind::string && !token.closed) return "a string is not closed on its line";
    if (token.kind == Kind::close && previous.kind == Kind::comma) {
        return "a comma stands before the closing \"" + std::string(token.text) +
               "\"; take the comma away";
    }
    if (is_value_begin(token.kind) && is_value_end(previous.kind)) {
        return "a comma or a colon is missing before this";
    }
    if (token.kind == Kind::word && token.text.front() == '\'')
        return "text takes double quotes, not single ones";
    if (token.kind == Kind::word && (token.text.front() == '-' || is_digit(token.text.front()))) {
        return "this is no number as JSON writes them, or it is too large";
    }
    if (token.kind == Kind::word) return "this is no JSON value; text needs double quotes";
    if (token.kind == Kind::string)
        return "this string has a control character or a bad escape in it";
    return "unexpected \"" + std::string(token.text) + "\"";
}

}  // namespace

std::string append_pointer(std::string_view pointer, std::string_view token) {
    return std::string(pointer) + pointer_step(token);
}

std::vector<int> locate(std::string_view text, std::span<const std::string> pointers) {
    Wanted root;
    root.line = 1;
    std::vector<std::vector<Wanted*>> trails;
    for (const std::string& pointer : pointers) {
        std::vector<Wanted*>& trail = trails.emplace_back(1, &root);
        for (std::string& token : split_pointer(pointer)) {
            std::unique_ptr<Wanted>& child = trail.back()->below[std::move(token)];
            if (!child) child = std::make_unique<Wanted>();
            trail.push_back(child.get());
        }
    }
    LineFinder finder(root);
    Walk(text, finder).run();
    std::vector<int> lines;
    for (const std::vector<Wanted*>& trail : trails) {
        int line = 1;
        for (const Wanted* step : trail) {
            if (step->line != 0) line = step->line;
        }
        lines.push_back(line);
    }
    return lines;
}

int locate(std::string_view text, const std::string& pointer) {
    return locate(text, std::span<const std::string>(&pointer, 1)).front();
}

std::optional<Duplicate> find_duplicate(std::string_view text) {
    DuplicateFinder finder;
    Walk(text, finder).run();
    return std::move(finder.found);
}

int find_too_deep(std::string_view text, int most) {
    DepthFinder finder(most);
    Walk(text, finder).run();
    return finder.line;
}

SyntaxFault describe_syntax_fault(std::string_view text, std::size_t offset) {
    Scanner scanner(text);
    Scanner::Token previous;
    std::vector<Scanner::Token> open;
    Scanner::Token token = scanner.next();
    while (token.kind != Kind::end && token.end < offset && token.closed) {
        if (token.kind == Kind::open) open.push_back(token);
        if (token.kind == Kind::close && !open.empty()) open.pop_back();
        previous = token;
        token = scanner.next();
    }
    if (token.kind != Kind::end && open.empty() && previous.kind == Kind::close) {
        return {token.line,
                "column " + std::to_string(token.column) +
                    ": the document has ended before this; a file holds one object"};
    }
    if (token.kind != Kind::end) {
        return {token.line,
                "column " + std::to_string(token.column) + ": " + name_fault(previous, token)};
    }
    if (previous.kind == Kind::end)
        return {token.line, "there is nothing in it but space and comments"};
    if (open.empty()) return {token.line, "the text cannot be read to its end"};
    return {token.line,
            "the text ends before the \"" + std::string(open.back().text) + "\" of line " +
                std::to_string(open.back().line) + " is closed"};
}

}  // namespace gatehouse::config
