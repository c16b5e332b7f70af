#include "engine/script/script_error.h"

namespace headrace {

std::string_view ScriptErrorName(ScriptError error) {
  switch (error) {
#define X(enumerator, name, sentence) \
  case ScriptError::enumerator:       \
    return name;
    HR_SCRIPT_ERRORS(X)
#undef X
  }
  return "UNKNOWN_ERROR";
}

std::string_view ScriptErrorSentence(ScriptError error) {
  switch (error) {
#define X(enumerator, name, sentence) \
  case ScriptError::enumerator:       \
    return sentence;
    HR_SCRIPT_ERRORS(X)
#undef X
  }
  return "unknown error";
}

}  // namespace headrace
