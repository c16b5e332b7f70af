// JSON text, both ways, over nlohmann-json's values; what this interface needs beyond the library:
//
// - Amounts are numbers with exactly eight decimals and reals have up to sixteen significant digits, as the field
// prints
//   them, and a client shows what the server sent, digit for digit. Hence a number that is no whole one is kept as its
//   text, in a binary value of a subtype that only the functions here give a meaning.
// - Fields keep their order. Duplicate names are kept too (the first counts), so that they can be refused by name.
// - Nesting is limited, and reading takes linear time however many fields an object has.
// - Strings that are no UTF-8 (peers choose some) are written with replacement characters: a document is always valid.
//
// Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/primitives/amount.h"

namespace headrace {

using Json = nlohmann::ordered_json;

inline constexpr size_t kJsonDepthMax = 512;

// A number by its text, which must be JSON's.
Json JsonNumber(std::string_view text);
// `0.00000001`, `-1.00000000`, `50.00000000`.
Json JsonAmount(Amount amount);
// Up to 16 significant digits; the value must be finite.
Json JsonReal(double value);
// The text of a number that is kept as such; empty for every other value.
std::string_view NumberTextOf(const Json& value);

// Whole or not.
bool IsJsonNumber(const Json& value);
// null, bool, object, array, string, number: as error messages of the field call them.
std::string_view JsonTypeName(const Json& value);

// Appends a field without looking whether there is one of this name already.
void AppendField(Json& object, std::string name, Json value);

// Nothing when the text is not one whole document, or is nested deeper than kJsonDepthMax.
std::optional<Json> ParseJson(std::string_view text);

// On one line for `indent` 0, otherwise a line for each value, as the field prints it (an empty array takes two).
std::string WriteJson(const Json& value, int indent = 0);

}  // namespace headrace
