#include "net/rpc/json_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "engine/base/check.h"

namespace headrace {
namespace {

constexpr uint8_t kNumberSubtype = 1;

// Builds values from the library's events. The value under construction at each depth is the last one of its parent.
class JsonBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit JsonBuilder(Json& root) : root_(root) {}

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t, const string_t& text) override { return Add(JsonNumber(text)); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Json::object()); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    name_ = std::move(name);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool Add(Json value) {
    Place(std::move(value));
    return true;
  }

  bool Open(Json container) {
    if (open_.size() == kJsonDepthMax) return false;
    open_.push_back(Place(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  Json* Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (Json::array_t* const array = open_.back()->get_ptr<Json::array_t*>())
      return &array->emplace_back(std::move(value));
    // Appends without looking for the name: an object of a million fields is read in linear time.
    AppendField(*open_.back(), std::move(name_), std::move(value));
    return &open_.back()->get_ptr<Json::object_t*>()->back().second;
  }

  Json& root_;
  std::vector<Json*> open_;
  std::string name_;
};

class JsonWriter {
 public:
  explicit JsonWriter(int indent) : indent_(indent) {}

  void Write(const Json& value, int depth) {
    if (value.is_object()) {
      WriteObject(value, depth);
    } else if (value.is_array()) {
      WriteArray(value, depth);
    } else if (value.is_binary()) {
      text_ += NumberTextOf(value);
    } else if (value.is_string()) {
      WriteString(value.get_ref<const std::string&>());
    } else {
      text_ += value.dump();
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  // Blocks in hex are millions of characters of which none needs care; the library looks at each of them much longer.
  void WriteString(const std::string& string) {
    const bool is_plain =
        std::all_of(string.begin(), string.end(), [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
    if (is_plain) {
      text_ += '"';
      text_ += string;
      text_ += '"';
    } else {
      text_ += Json(string).dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
    }
  }

  void WriteObject(const Json& object, int depth) {
    text_ += '{';
    bool is_first = true;
    for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
      if (!std::exchange(is_first, false)) text_ += ',';
      NewLine(depth + 1);
      WriteString(name);
      text_ += indent_ != 0 ? ": " : ":";
      Write(value, depth + 1);
    }
    NewLine(depth);
    text_ += '}';
  }

  void WriteArray(const Json& array, int depth) {
    text_ += '[';
    bool is_first = true;
    for (const Json& value : array) {
      if (!std::exchange(is_first, false)) text_ += ',';
      NewLine(depth + 1);
      Write(value, depth + 1);
    }
    NewLine(depth);
    text_ += ']';
  }

  void NewLine(int depth) {
    if (indent_ == 0) return;
    text_ += '\n';
    text_.append(static_cast<size_t>(indent_ * depth), ' ');
  }

  const int indent_;
  std::string text_;
};

}  // namespace

Json JsonNumber(std::string_view text) {
  return Json::binary(std::vector<uint8_t>(text.begin(), text.end()), kNumberSubtype);
}

Json JsonAmount(Amount amount) {
  // Unsigned, because the least amount has no positive twin.
  const uint64_t magnitude = amount < 0 ? ~static_cast<uint64_t>(amount) + 1 : static_cast<uint64_t>(amount);
  char text[32];
  const int size = std::snprintf(text, sizeof(text), "%s%llu.%08llu", amount < 0 ? "-" : "",
                                 static_cast<unsigned long long>(magnitude / kCoin),
                                 static_cast<unsigned long long>(magnitude % kCoin));
  return JsonNumber({text, static_cast<size_t>(size)});
}

Json JsonReal(double value) {
  HR_CHECK(std::isfinite(value));
  char text[40];
  const int size = std::snprintf(text, sizeof(text), "%.16g", value);
  return JsonNumber({text, static_cast<size_t>(size)});
}

std::string_view NumberTextOf(const Json& value) {
  if (!value.is_binary()) return {};
  const Json::binary_t& text = value.get_binary();
  HR_CHECK(text.has_subtype() && text.subtype() == kNumberSubtype);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

bool IsJsonNumber(const Json& value) { return value.is_number() || value.is_binary(); }

std::string_view JsonTypeName(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "bool";
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  return value.is_string() ? "string" : "number";
}

void AppendField(Json& object, std::string name, Json value) {
  object.get_ref<Json::object_t&>().Json::object_t::Container::emplace_back(std::move(name), std::move(value));
}

std::optional<Json> ParseJson(std::string_view text) {
  Json root;
  JsonBuilder builder(root);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  return root;
}

std::string WriteJson(const Json& value, int indent) {
  JsonWriter writer(indent);
  writer.Write(value, 0);
  return writer.Take();
}

}  // namespace headrace
