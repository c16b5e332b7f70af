#include "engine/consensus/versionbits.h"

#include <gtest/gtest.h>

#include "tests/reference/vector_ancestry.h"

namespace headrace {
namespace {

using testing::VectorAncestry;

constexpr int32_t kSignal = 0x20000004;
constexpr int32_t kSilent = 0x20000000;

Deployment Example() {
  Deployment deployment;
  deployment.name = "example";
  deployment.bit = 2;
  deployment.start_time_s = 10'000;
  deployment.timeout_s = 40'000;
  deployment.period = 100;
  deployment.threshold = 90;
  return deployment;
}

struct Miner {
  VectorAncestry chain;
  uint32_t count = 0;

  // Blocks at one time, so that median time past is that of the period before after six of them.
  void Mine(uint32_t blocks, uint32_t time_s, int32_t version) {
    for (uint32_t i = 0; i < blocks; ++i, ++count) chain.Push({time_s, 0, version});
  }
  DeploymentState State(const Deployment& deployment) const { return DeploymentStatusAfter(chain, deployment).state; }
  uint32_t Since(const Deployment& deployment) const { return DeploymentStatusAfter(chain, deployment).since_height; }
};

TEST(VersionBits, RunsFromDefinedToActive) {
  const Deployment deployment = Example();
  Miner miner;
  miner.Mine(1, 9'000, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kDefined);
  miner.Mine(99, 9'999, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kDefined) << "signals before the start do not count";
  miner.Mine(99, 10'000, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kDefined) << "states change at boundaries alone";
  miner.Mine(1, 10'000, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kStarted);
  EXPECT_EQ(miner.Since(deployment), 200u);
  miner.Mine(11, 10'001, kSilent);
  miner.Mine(89, 10'001, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kStarted) << "one signal short";
  miner.Mine(10, 10'001, kSilent);
  miner.Mine(90, 10'001, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kLockedIn);
  EXPECT_EQ(miner.Since(deployment), 400u);
  miner.Mine(99, 50'000, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kLockedIn);
  miner.Mine(1, 50'000, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kActive) << "no timeout once locked in";
  EXPECT_EQ(miner.Since(deployment), 500u);
  miner.Mine(1000, 60'000, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kActive);
  EXPECT_EQ(miner.Since(deployment), 500u);
}

TEST(VersionBits, FailsAtTheTimeout) {
  const Deployment deployment = Example();
  Miner miner;
  miner.Mine(100, 10'000, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kStarted);
  miner.Mine(100, 39'999, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kStarted);
  miner.Mine(100, 40'000, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kFailed);
  miner.Mine(200, 41'000, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kFailed) << "for good";
  EXPECT_EQ(miner.Since(deployment), 300u);
}

TEST(VersionBits, SignalsOfTheLastPeriodStillCount) {
  const Deployment deployment = Example();
  Miner miner;
  miner.Mine(100, 10'000, kSilent);
  miner.Mine(100, 40'000, kSignal);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kLockedIn);
}

TEST(VersionBits, WaitsForTheMinimumHeight) {
  Deployment deployment = Example();
  deployment.min_activation_height = 450;
  Miner miner;
  miner.Mine(100, 10'000, kSilent);
  miner.Mine(100, 10'000, kSignal);
  miner.Mine(200, 10'000, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kLockedIn);
  EXPECT_EQ(miner.Since(deployment), 200u);
  miner.Mine(100, 10'000, kSilent);
  EXPECT_EQ(miner.State(deployment), DeploymentState::kActive);
  EXPECT_EQ(miner.Since(deployment), 500u);
}

TEST(VersionBits, AlwaysAndNever) {
  Deployment deployment = Example();
  Miner miner;
  miner.Mine(1, 0, kSilent);
  deployment.start_time_s = Deployment::kAlwaysActive;
  EXPECT_EQ(miner.State(deployment), DeploymentState::kActive);
  deployment.start_time_s = Deployment::kNeverActive;
  EXPECT_EQ(miner.State(deployment), DeploymentState::kFailed);
}

TEST(VersionBits, OnlyTheTopBits001Signal) {
  const Deployment deployment = Example();
  EXPECT_TRUE(Signals(0x20000004, deployment));
  EXPECT_TRUE(Signals(0x3fffffff, deployment));
  EXPECT_FALSE(Signals(0x20000003, deployment));
  EXPECT_FALSE(Signals(0x60000004, deployment));
  EXPECT_FALSE(Signals(0x00000004, deployment));
  EXPECT_FALSE(Signals(static_cast<int32_t>(0xa0000004), deployment));
}

TEST(VersionBits, CountsThePeriodSoFar) {
  const Deployment deployment = Example();
  Miner miner;
  miner.Mine(105, 10'000, kSilent);
  miner.Mine(5, 10'000, kSignal);
  DeploymentCount count = CountSignals(miner.chain, deployment);
  EXPECT_EQ(count.elapsed, 10u);
  EXPECT_EQ(count.count, 5u);
  EXPECT_TRUE(count.possible);
  ASSERT_EQ(count.signalling.size(), 10u);
  EXPECT_FALSE(count.signalling.front());
  EXPECT_TRUE(count.signalling.back());
  miner.Mine(6, 10'000, kSilent);
  EXPECT_FALSE(CountSignals(miner.chain, deployment).possible) << "eleven silent blocks of a hundred";
}

TEST(VersionBits, BuiltBlocksSignalWhatIsUnderWay) {
  Miner miner;
  miner.Mine(99, 10'000, kSilent);
  EXPECT_EQ(BlockVersionAfter(miner.chain, {Example()}), kSilent);
  miner.Mine(1, 10'000, kSilent);
  EXPECT_EQ(BlockVersionAfter(miner.chain, {Example()}), kSignal);
}

}  // namespace
}  // namespace headrace
