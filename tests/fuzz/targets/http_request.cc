// The HTTP reader: however the bytes are cut the same requests come out, limits hold, and what comes out is what a twin
// finds that looks at the whole text at once.
#include "net/rpc/http_request_reader.h"

#include <algorithm>

#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/reference/plain_http.h"

namespace headrace::fuzz {
namespace {

constexpr uint64_t kBodyBytesMax = 20'000;

struct Outcome {
  std::vector<std::string> requests;  // everything that a request says, one after another
  int failure = 0;
  bool operator==(const Outcome&) const = default;
};

std::string Describe(HttpRequestReader& reader) {
  const HttpRequest& request = reader.request();
  std::string text = request.method + ' ' + request.target + ' ' + std::to_string(request.version_minor);
  for (const HttpField& field : request.fields) text += '\n' + field.name + ": " + field.value;
  text += "\n" + std::to_string(reader.keeps_alive()) + std::to_string(reader.expects_continue());
  return text + '\n' + request.body;
}

// Reads requests until one fails or ends the connection. `cuts` says how; the body of one in four is not kept.
Outcome Read(std::string_view stream, uint64_t cuts, uint64_t keeps) {
  Outcome outcome;
  HttpRequestReader reader(kBodyBytesMax);
  while (true) {
    if (reader.state() == HttpRequestReader::State::kHeadComplete) {
      HR_CHECK(reader.Take("x") == 0);
      (keeps & 3) == 0 ? reader.SkipBody() : reader.KeepBody();
      if ((keeps & 3) != 0) HR_CHECK(reader.body_bytes_expected() <= kBodyBytesMax);
      keeps = keeps >> 2 | keeps << 62;
      continue;
    }
    if (reader.state() == HttpRequestReader::State::kComplete) {
      HR_CHECK(reader.Take("x") == 0 && reader.request().body.size() <= kBodyBytesMax);
      outcome.requests.push_back(Describe(reader));
      if (!reader.keeps_alive()) return outcome;
      reader = HttpRequestReader(kBodyBytesMax);
      continue;
    }
    if (reader.state() == HttpRequestReader::State::kFailed) {
      HR_CHECK(reader.failure() == 400 || reader.failure() == 413);
      HR_CHECK(reader.Take("x") == 0);
      outcome.failure = reader.failure();
      return outcome;
    }
    if (stream.empty()) return outcome;
    cuts = cuts * 6364136223846793005u + 1442695040888963407u;
    const size_t piece = cuts == 0 ? stream.size() : 1 + (cuts >> 40) % ((cuts >> 62) == 0 ? 5000 : 20);
    const std::string copy(stream.substr(0, std::min(piece, stream.size())));
    const size_t taken = reader.Take(copy);
    HR_CHECK(taken <= copy.size());
    HR_CHECK(taken == copy.size() || reader.state() != HttpRequestReader::State::kHead);
    stream.remove_prefix(taken);
  }
}

// The same by the twin, which keeps every body; those that were skipped are taken out again.
Outcome PlainRead(std::string_view stream, uint64_t keeps) {
  Outcome outcome;
  testing::PlainHttp reader(stream, {.body_bytes_max = kBodyBytesMax});
  while (const auto request = reader.Next()) {
    std::string text = request->method + ' ' + request->target + ' ' + std::to_string(request->version_minor);
    for (const auto& [name, value] : request->fields) text += '\n' + name + ": " + value;
    text += "\n" + std::to_string(request->keeps_alive) + std::to_string(request->expects_continue) + '\n';
    outcome.requests.push_back((keeps & 3) == 0 ? text : text + request->body);
    keeps = keeps >> 2 | keeps << 62;
    if (!request->keeps_alive) return outcome;
  }
  outcome.failure = reader.failure();
  return outcome;
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const uint64_t cuts = in.U64();
  const uint64_t keeps = in.U64();
  const std::string_view stream = AsText(in.Rest());
  const AllocationMeter meter;
  const Outcome outcome = Read(stream, cuts, keeps);
  HR_CHECK(meter.peak_bytes() <= 12 * stream.size() + 16 * HttpRequestReader::kHeadBytesMax);
  HR_CHECK(Read(stream, ~cuts, keeps) == outcome);
  HR_CHECK(PlainRead(stream, keeps) == outcome);
}

Bytes Input(std::string_view text) {
  Bytes input{1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xf7, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff};
  input.insert(input.end(), text.begin(), text.end());
  return input;
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  const std::string post =
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic dTpw\r\nContent-Length: 46\r\n\r\n"
      "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\",\"id\":1}";
  corpus.push_back(Input(post));
  corpus.push_back(Input(post.substr(0, post.size() - 3) + post + post));
  corpus.push_back(
      Input("GET /rest/x HTTP/1.0\nConnection: keep-alive\n\nGET / HTTP/1.1\r\nConnection: a, close\r\n\r\n"));
  corpus.push_back(
      Input("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
            "5;ext=1\r\nhello\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\n\r\n"));
  corpus.push_back(Input("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  corpus.push_back(
      Input("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello\r\n\r\nGET / HTTP/1.1\r\n\r\n"));
  corpus.push_back(Input("POST / HTTP/1.1\r\nContent-Length: 20000\r\n\r\n" + std::string(20'000, 'b')));
  corpus.push_back(Input("POST / HTTP/1.1\r\nContent-Length: 20001\r\n\r\n"));
  corpus.push_back(Input("GET /" + std::string(8170, 'x') + " HTTP/1.1\r\n\r\n"));
  corpus.push_back(Input("GET / HTTP/1.1\r\nName : x\r\n\r\n"));
  corpus.push_back(Input("GET / HTTP/1.1\r\nA: x\r\n folded\r\n\r\n"));
  corpus.push_back(Input("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"));
  return corpus;
}

FUZZ_TARGET(http_request, 6'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
