#include "gatehouse/core/result.hpp"

#include <boost/system/system_error.hpp>

namespace gatehouse {

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw boost::system::system_error(error.code, error.detail + " at " + where.to_string());
}

}  // namespace gatehouse
