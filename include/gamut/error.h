// The one error type: what went wrong, with the thing, the value and what was expected.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace gamut {

/// What kind of failure an Error reports. The spelling for programs is `error_code_name`.
enum class ErrorCode {
  kInvalidArgument,  ///< the caller passed something that cannot be used
  kNotFound,         ///< a file, tensor, task or name does not exist
  kInvalidFile,      ///< a file exists and its content is wrong
  kUnsupported,      ///< valid, but not something this build can do
  kResourceLimit,    ///< a stated limit or the machine's memory does not allow it
  kIo,               ///< the operating system refused
  kInternal,         ///< a defect of gamut itself
};

/// `kInvalidFile` -> "invalid_file" and so on; the `code` of the JSON form of an error.
std::string_view error_code_name(ErrorCode code);

/// Thrown by every function of the library that fails. Nothing is lost or half-done when it is thrown.
class Error : public std::exception {
 public:
  /// `message` names the thing, the value and what was expected; `hint` says what to do next, or is empty.
  Error(ErrorCode code, std::string message, std::string hint = "")
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
};

}  // namespace gamut
