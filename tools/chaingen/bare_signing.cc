#include "tools/chaingen/bare_signing.h"

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <memory>

#include "engine/base/check.h"

namespace headrace::chaingen {
namespace {

constexpr int kSignatures = 1500;

double Seconds(clockid_t clock) {
  timespec time{};
  HR_CHECK(clock_gettime(clock, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// CPU seconds of one call.
template <typename Call>
double SecondsOf(const Call& call) {
  std::array<uint8_t, 32> message{};
  const double start = ThreadSeconds();
  for (int i = 0; i < kSignatures; ++i) {
    message[0] = static_cast<uint8_t>(i);
    message[1] = static_cast<uint8_t>(i >> 8);
    HR_CHECK(call(message.data()) == 1);
  }
  return (ThreadSeconds() - start) / kSignatures;
}

}  // namespace

double ThreadSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }
double ProcessSeconds() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }

BareSigning MeasureBareSigning() {
  const std::unique_ptr<secp256k1_context, void (*)(secp256k1_context*)> context(
      secp256k1_context_create(SECP256K1_CONTEXT_SIGN), secp256k1_context_destroy);
  const std::array<uint8_t, 32> secret = {1, 2, 3};
  secp256k1_keypair pair;
  HR_CHECK(secp256k1_keypair_create(context.get(), &pair, secret.data()) == 1);
  BareSigning bare;
  bare.ecdsa_s = SecondsOf([&](const uint8_t* message) {
    secp256k1_ecdsa_signature signature;
    return secp256k1_ecdsa_sign(context.get(), &signature, message, secret.data(), nullptr, nullptr);
  });
  bare.schnorr_s = SecondsOf([&](const uint8_t* message) {
    uint8_t signature[64];
    return secp256k1_schnorrsig_sign32(context.get(), signature, message, &pair, nullptr);
  });
  return bare;
}

}  // namespace headrace::chaingen
