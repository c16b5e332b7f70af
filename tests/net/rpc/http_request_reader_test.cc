#include "net/rpc/http_request_reader.h"

#include <gtest/gtest.h>

#include <random>

namespace headrace {
namespace {

constexpr uint64_t kBodyMax = 1000;
using State = HttpRequestReader::State;
using Found = std::vector<std::string>;

// Feeds all of `stream` in pieces and returns what came out: "METHOD TARGET BODY" for each request, and a status at the
// end when one failed.
Found ReadAll(const std::string& stream, size_t piece, bool keeps_bodies = true) {
  Found found;
  HttpRequestReader reader(kBodyMax);
  size_t at = 0;
  while (true) {
    if (reader.state() == State::kHeadComplete) keeps_bodies ? reader.KeepBody() : reader.SkipBody();
    if (reader.state() == State::kFailed) {
      found.push_back(std::to_string(reader.failure()));
      return found;
    }
    if (reader.state() == State::kComplete) {
      const HttpRequest& request = reader.request();
      found.push_back(request.method + " " + request.target + " " + request.body);
      reader = HttpRequestReader(kBodyMax);
      continue;
    }
    if (at == stream.size()) return found;
    const size_t given = std::min(piece, stream.size() - at);
    const size_t taken = reader.Take(std::string_view(stream).substr(at, given));
    EXPECT_LE(taken, given);
    at += taken;
  }
}

Found Read(const std::string& stream) {
  Found whole = ReadAll(stream, stream.size());
  for (size_t piece : {1, 2, 3, 7}) EXPECT_EQ(ReadAll(stream, piece), whole) << piece << " bytes at a time: " << stream;
  return whole;
}

TEST(HttpRequestReaderTest, HeadsAndBodies) {
  EXPECT_EQ(Read("GET / HTTP/1.1\r\n\r\n"), Found{"GET / "});
  EXPECT_EQ(Read("POST /x?y HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), Found{"POST /x?y abc"});
  EXPECT_EQ(Read("POST / HTTP/1.1\ncontent-length:3  \n\nabc"), Found{"POST / abc"}) << "a bare LF ends a line";
  EXPECT_EQ(Read("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), Found{"GET / "}) << "empty lines before a request";
  EXPECT_EQ(Read("POST / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nab"), Found{"POST / ab"});
  EXPECT_EQ(Read("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\n\r\nPUT /3 HTTP/1.1\r\n\r\n"),
            (Found{"POST / ab", "GET /2 ", "PUT /3 "}));
}

TEST(HttpRequestReaderTest, Chunks) {
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Read(head + "3\r\nabc\r\n0\r\n\r\n"), Found{"POST / abc"});
  EXPECT_EQ(Read(head + "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
            (Found{"POST / abc0123456789", "GET / "}));
  EXPECT_EQ(Read(head + "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n"),
            Found{"POST / " + std::string(1000, 'x')});
  EXPECT_EQ(Read(head + "3e9\r\n"), Found{"413"});
  EXPECT_EQ(Read(head + "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n"), Found{"413"}) << "all chunks together";
  EXPECT_EQ(Read(head + "ffffffffffffffff\r\n"), Found{"413"});
  for (const char* bad : {"\r\n", "x\r\n", "-1\r\n", "0x3\r\nabc", "10000000000000000\r\n", "3\r\nabcd\r\n"}) {
    EXPECT_EQ(Read(head + bad), Found{"400"}) << bad;
  }
  EXPECT_EQ(Read(head + std::string(300, '0')), Found{"400"}) << "an endless size";
  EXPECT_EQ(Read(head + "0\r\n" + std::string(9000, 't')), Found{"400"}) << "an endless trailer";
}

TEST(HttpRequestReaderTest, TheCodingCountsWhenBothAreGiven) {
  HttpRequestReader reader(kBodyMax);
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(reader.Take(head), head.size());
  EXPECT_FALSE(reader.keeps_alive()) << "the two sides may disagree about where the next request begins";
  EXPECT_EQ(Read(head + "3\r\nabc\r\n0\r\n\r\n"), Found{"POST / abc"});
}

TEST(HttpRequestReaderTest, BadHeads) {
  for (const char* line :
       {"GET /\r\n", "GET\r\n", " GET / HTTP/1.1\r\n", "GET / \r\n", "GET / HTTP/9.9\r\n", "GET / HTTP/2.0\r\n",
        "GET / HTTP/INVALID\r\n", "GET / NOTHTTP/1.1\r\n", "GET / http/1.1\r\n", "GET  HTTP/1.1\r\n",
        "G@T / HTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n", "GET / HTTP/1.11\r\n"}) {
    EXPECT_EQ(Read(line), Found{"400"}) << line;
  }
  for (const char* field :
       {"nocolon\r\n", ": empty\r\n", "Name : x\r\n", " folded: x\r\n", "\tfolded: x\r\n", "A b: x\r\n",
        "Name: a\rb\r\n", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", "Content-Length: -1\r\n\r\n",
        "Content-Length: 1x\r\n\r\n", "Content-Length:\r\n\r\n", "Content-Length: 99999999999999999999\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding: gzip, chunked\r\n\r\n"}) {
    EXPECT_EQ(Read(std::string("POST / HTTP/1.1\r\n") + field), Found{"400"}) << field;
  }
  EXPECT_EQ(Read(std::string("GET /a\0b HTTP/1.1\r\n", 19)), Found{"400"});
  EXPECT_EQ(Read("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"), Found{"413"});
}

TEST(HttpRequestReaderTest, HeadsAreBounded) {
  const std::string begin = "GET / HTTP/1.1\r\nX: ";
  auto head_of = [&](size_t size) { return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(ReadAll(head_of(HttpRequestReader::kHeadBytesMax), 1000), Found{"GET / "});
  EXPECT_EQ(ReadAll(head_of(HttpRequestReader::kHeadBytesMax + 1), 1000), Found{"400"});
  EXPECT_EQ(ReadAll(std::string(100'000, 'x'), 1), Found{"400"});
  EXPECT_EQ(ReadAll(std::string(100'000, '\n'), 100), Found{"400"});
}

TEST(HttpRequestReaderTest, BodiesThatAreNotWantedAreReadPast) {
  EXPECT_EQ(ReadAll("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n\r\n", 5, false),
            (Found{"POST / ", "GET /2 "}));
  EXPECT_EQ(ReadAll("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 5, false),
            Found{"POST / "});
}

TEST(HttpRequestReaderTest, StopsAtTheHeadForADecision) {
  HttpRequestReader reader(kBodyMax);
  const std::string head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  EXPECT_TRUE(reader.is_untouched());
  EXPECT_EQ(reader.Take(head + "abc"), head.size());
  EXPECT_EQ(reader.state(), State::kHeadComplete);
  EXPECT_FALSE(reader.is_untouched());
  EXPECT_TRUE(reader.expects_continue());
  EXPECT_EQ(reader.body_bytes_expected(), 3u);
  EXPECT_EQ(reader.Take("abc"), 0u) << "before the decision";
  reader.KeepBody();
  EXPECT_EQ(reader.Take("abcd"), 3u);
  EXPECT_EQ(reader.state(), State::kComplete);
}

TEST(HttpRequestReaderTest, Connections) {
  auto keeps = [](const std::string& version, const std::string& field) {
    HttpRequestReader reader(kBodyMax);
    reader.Take("GET / HTTP/" + version + "\r\n" + field + "\r\n");
    EXPECT_EQ(reader.state(), State::kHeadComplete);
    return reader.keeps_alive();
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.1", "connection: te , CLOSE\r\n"));
  EXPECT_TRUE(keeps("1.1", "Connection: closed\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

// However bytes are damaged and cut into pieces, the same requests come out.
TEST(HttpRequestReaderTest, DamagedStreams) {
  std::mt19937 random(7);
  const std::string seed =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloPOST /b HTTP/1.1\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nworld\r\n"
      "0\r\n\r\nGET /c HTTP/1.0\r\n\r\n";
  size_t failed = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string stream = seed;
    for (uint32_t edits = 1 + random() % 3; edits > 0; --edits)
      stream[random() % stream.size()] = static_cast<char>(random());
    const Found whole = ReadAll(stream, stream.size());
    ASSERT_EQ(ReadAll(stream, 1 + random() % 9), whole) << stream;
    ASSERT_LE(whole.size(), 4u);
    failed += !whole.empty() && whole.back().size() == 3;
  }
  EXPECT_GT(failed, 1000u);
}

}  // namespace
}  // namespace headrace
