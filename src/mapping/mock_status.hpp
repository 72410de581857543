#pragma once

#include <optional>
#include <string_view>

namespace gatehouse::mapping {

/// The integer `statusCode` of what a MOCK's request template gave. JSON, or nearly: the service
/// takes names without quotes, which is what the AWS CDK writes (`{statusCode: 200}`).
std::optional<int> read_mock_status(std::string_view text);

}  // namespace gatehouse::mapping
