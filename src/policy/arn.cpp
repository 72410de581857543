#include "gatehouse/policy/arn.hpp"

#include "gatehouse/core/limits.hpp"

namespace gatehouse::policy {
namespace {

// AWS General Reference, "Amazon Resource Names": China and GovCloud are partitions of their own.
std::string_view partition_of(std::string_view region) noexcept {
    if (region.starts_with("cn-")) return "aws-cn";
    if (region.starts_with("us-gov-")) return "aws-us-gov";
    return "aws";
}

}  // namespace

std::string make_stage_prefix(const StageName& stage) {
    std::string prefix = "arn:";
    prefix += partition_of(stage.region);
    prefix += ":execute-api:";
    prefix += stage.region;
    prefix += ':';
    prefix += stage.account_id;
    prefix += ':';
    prefix += stage.api_id;
    prefix += '/';
    prefix += stage.stage;
    prefix += '/';
    return prefix;
}

std::string make_stage_arn(std::string_view stage_prefix) {
    return std::string(stage_prefix) + "*";
}

Result<MethodArn> make_method_arn(std::string_view stage_prefix,
                                  std::string_view verb,
                                  std::string_view path,
                                  std::string& buffer) {
    buffer.clear();
    // Without its '/' a path would run into the verb and name another method.
    if (!path.starts_with('/')) return fail(Errc::arn_invalid, "path without a leading slash");
    const std::size_t length = stage_prefix.size() + verb.size() + path.size();
    if (length > limits::kMethodArnBytes) {
        return fail(Errc::arn_too_long, std::to_string(length) + " bytes");
    }
    buffer += stage_prefix;
    buffer += verb;
    buffer += path;
    if (path == "/") return MethodArn{buffer, {}};
    // The two forms differ by one byte at the end, so both are views of one text.
    const bool slashed = path.ends_with('/');
    if (!slashed) buffer += '/';
    const std::string_view with_slash = buffer;
    const std::string_view without = with_slash.substr(0, with_slash.size() - 1);
    return slashed ? MethodArn{with_slash, without} : MethodArn{without, with_slash};
}

}  // namespace gatehouse::policy
