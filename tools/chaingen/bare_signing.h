// How long libsecp256k1 alone takes to sign, on one core of this machine now: what the generator's rate is set beside.
#pragma once

namespace headrace::chaingen {

// CPU seconds a signature: RFC 6979 nonces, BIP340 with a key pair made beforehand, no hashing of transactions.
struct BareSigning {
  double ecdsa_s = 0;
  double schnorr_s = 0;
};

// Takes about a tenth of a second of CPU time.
BareSigning MeasureBareSigning();

// CPU time of the calling thread, and of the whole process.
double ThreadSeconds();
double ProcessSeconds();

}  // namespace headrace::chaingen
