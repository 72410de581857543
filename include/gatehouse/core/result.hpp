#pragma once

#include "gatehouse/core/errc.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace gatehouse {

/// An error as a value. `detail` is for logs, traces and the configuration report only: clients get
/// a fixed body per status. It never holds a token, a key or a secret.
struct Error {
    boost::system::error_code code;
    std::string detail;

    /// The reason when the code is one of ours, Errc::internal otherwise.
    Errc errc() const noexcept {
        return code.category() == gatehouse_category() ? static_cast<Errc>(code.value())
                                                       : Errc::internal;
    }
};

/// What Result::value() calls when there is no value: a bug, so an exception.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

/// A T or an Error. (boost::system::result of 1.81 is not [[nodiscard]].)
template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
    using Base = boost::system::result<T, Error>;

  public:
    using Base::Base;
};

inline Error fail(Errc code, std::string detail = {}) {
    return Error{make_error_code(code), std::move(detail)};
}

}  // namespace gatehouse
