#include "tests/sim/disk/coin_life.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/endian.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"
#include "tests/sim/sim_file.h"

namespace headrace::sim {
namespace {

using Kind = CoinStep::Kind;

constexpr char kLifeCoins[] = "/node/coins";
constexpr char kLifeBlocks[] = "/node/blocks";
// Stands for the block files: which blocks they have on the medium.
constexpr char kLifeSerial[] = "/node/blocks/serial";

std::string Show(const CoinPublication& manifest) {
  if (!manifest.through) return "none";
  return absl::StrCat(manifest.lowest.height, "..", manifest.through->height);
}

}  // namespace

CoinLife::CoinLife(const CoinPlan& plan, uint64_t disk_seed)
    : plan_(plan), entropy_(disk_seed), disk_(entropy_.Fork(), wakeup_) {
  manifest_.lowest = applied_ = plan.origin();
  ever_applied_.insert(plan.origin().hash);
  files_ = std::make_unique<SimFileSystem>(disk_);
}

CoinLife::~CoinLife() {
  // What is dropped must not write: this life is over.
  disk_.Kill();
  Close();
}

void CoinLife::Close() {
  pin_.reset();
  store_.reset();
}

absl::Status CoinLife::Open() {
  const uint64_t first = disk_.counters().operations + 1;
  // A store that is made anew takes the same key.
  SimEntropy key(plan_.key_seed());
  found_.reset();
  HR_RETURN_IF_ERROR(files_->MakeDirectories(kLifeBlocks));
  CoinStoreOptions options;
  options.files = files_.get();
  options.executor = &executor_;
  options.entropy = &key;
  options.directory = kLifeCoins;
  options.network_magic = testing::kTestMagic;
  options.cache_bytes_max = plan_.cache_bytes_max();
  options.checkpoint_step_bytes = plan_.checkpoint_step_bytes();
  options.origin = plan_.origin();
  options.make_durable = [this] { return MakeDurable(); };
  absl::StatusOr<std::unique_ptr<FlatCoinStore>> opened = OpenCoinStore(options);
  openings_.push_back({first, disk_.counters().operations});
  HR_RETURN_IF_ERROR(opened.status());
  store_ = *std::move(opened);
  found_ = {store_->durable(), store_->durable_through()};
  return absl::OkStatus();
}

absl::Status CoinLife::MakeDurable() {
  std::vector<uint8_t> bytes(8);
  StoreLittle(bytes.data(), applied_serial_);
  HR_ASSIGN_OR_RETURN(const FileRef file, files_->Open(kLifeSerial, OpenMode::kCreate));
  HR_RETURN_IF_ERROR(files_->WriteAt(file, 0, bytes));
  HR_RETURN_IF_ERROR(files_->Sync(file));
  return files_->SyncDirectory(kLifeBlocks);
}

void CoinLife::SetApplied() {
  for (const BlockRef& block : plan_.Branch(plan_.origin(), store_->resolved())) {
    ever_applied_.insert(block->hash);
    applied_serial_ = std::max(applied_serial_, plan_.serial(block->hash));
  }
  applied_ = store_->resolved();
  store_->SetApplied(applied_);
}

absl::Status CoinLife::Apply(std::span<const BlockRef> blocks, bool compares_spent, WindowOutcome expected) {
  testing::WorldWindow window(blocks);
  const BlockPoint before = store_->resolved();
  HR_ASSIGN_OR_RETURN(const WindowOutcome outcome, store_->Apply(window.blocks));
  const BlockPoint last{blocks.back()->hash, blocks.back()->naive.height};
  Require(outcome == expected, "a window met another verdict");
  Require(store_->resolved() == (outcome == WindowOutcome::kApplied ? last : before),
          "the store resolved another block");
  if (!compares_spent || outcome != WindowOutcome::kApplied) return absl::OkStatus();
  for (size_t b = 0; b < blocks.size(); ++b) {
    for (size_t i = 1; i < blocks[b]->undo.size(); ++i) {
      Require(testing::ToNaive(window.spent[b][i]) == blocks[b]->undo[i], "a spent coin is not what was created");
    }
  }
  return absl::OkStatus();
}

absl::Status CoinLife::ApplyAll(const BlockWindow& branch, bool compares_spent) {
  for (size_t at = 0; at < branch.size();) {
    const size_t count = std::min<size_t>(1 + entropy_.Below(4), branch.size() - at);
    HR_RETURN_IF_ERROR(Apply(std::span(branch).subspan(at, count), compares_spent, WindowOutcome::kApplied));
    at += count;
  }
  return absl::OkStatus();
}

absl::Status CoinLife::Unapply(const BlockWindow& blocks) {
  testing::WorldWindow window(blocks);
  window.FillSpent(blocks);
  const BlockPoint below{blocks.front()->previous, blocks.front()->naive.height - 1};
  HR_RETURN_IF_ERROR(store_->Unapply(window.blocks, below));
  Require(store_->resolved() == below, "the store went back to another block");
  if (applied_.height >= below.height) SetApplied();
  return absl::OkStatus();
}

absl::Status CoinLife::Checkpoint(const CoinStep& step) {
  // Nothing moves any more: it waits for verdicts.
  constexpr uint32_t kIdleMax = 4;
  uint32_t idle = 0;
  for (uint32_t call = 0; call < step.calls && idle < kIdleMax && store_->checkpoint_under_way(); ++call) {
    const uint64_t before = disk_.counters().operations;
    for (uint32_t turn = 0; turn < step.turns && disk_.Step(); ++turn) {
    }
    HR_RETURN_IF_ERROR(store_->StepCheckpoint());
    idle = disk_.counters().operations == before && !disk_.has_work() ? idle + 1 : 0;
  }
  return absl::OkStatus();
}

absl::Status CoinLife::StartAgain() {
  HR_RETURN_IF_ERROR(Recover());
  Require(found_ == manifest_, "a start within the plan found another manifest than the last one");
  return absl::OkStatus();
}

absl::Status CoinLife::Carry(const CoinStep& step) {
  switch (step.kind) {
    case Kind::kApply:
      return Apply(step.window, true, WindowOutcome::kApplied);
    case Kind::kRefuse:
      return Apply(step.window, false, WindowOutcome::kViolated);
    case Kind::kUnapply:
      return Unapply(step.window);
    case Kind::kSetApplied:
      SetApplied();
      return absl::OkStatus();
    case Kind::kBegin:
      return store_->BeginCheckpoint();
    case Kind::kStep:
      return Checkpoint(step);
    case Kind::kFinish:
      return store_->FinishCheckpoint();
    case Kind::kPin:
      if (store_->durable_through()) pin_ = store_->Pin();
      return absl::OkStatus();
    case Kind::kUnpin:
      pin_.reset();
      return absl::OkStatus();
    case Kind::kStop:
      HR_RETURN_IF_ERROR(store_->FinishCheckpoint());
      WatchManifest();
      Close();
      files_.reset();
      return StartAgain();
    case Kind::kKill:
      Kill();
      return StartAgain();
    case Kind::kLosePower:
      LosePower();
      return StartAgain();
  }
  return absl::OkStatus();
}

void CoinLife::WatchManifest() {
  if (store_ == nullptr) return;
  const bool is_publishing = store_->publishing() != nullptr;
  if (is_publishing && !publishing_) publishing_ = {next_step_, step_began_at_};
  const std::pair<size_t, uint64_t> begun = publishing_.value_or(std::pair(next_step_, step_began_at_));
  if (!is_publishing) publishing_.reset();
  const CoinPublication now{store_->durable(), store_->durable_through()};
  if (now == manifest_) return;
  manifest_ = now;
  Require(now.through && ever_applied_.contains(now.through->hash), "a manifest names a block without a verdict");
  published_.push_back({begun.first, now, begun.second, disk_.counters().operations});
}

// An open segment outside of a checkpoint is of survivors that had to leave memory.
void CoinLife::WatchDeeds() {
  if (store_ == nullptr) return;
  for (const CoinShard& shard : store_->state().shards)
    has_grown_ |= shard.table.homes() > CoinTable::kHomesMin;
  for (const Segment* segment : store_->state().space.OldSegments()) {
    has_evicted_ |= segment->kind == SegmentKind::kOpen && !store_->checkpoint_under_way();
    has_compacted_ |= segment->is_retiring;
  }
}

absl::Status CoinLife::Live() {
  if (store_ == nullptr) HR_RETURN_IF_ERROR(Recover());
  while (next_step_ < plan_.steps().size() && failure_.empty()) {
    step_began_at_ = disk_.counters().operations;
    const absl::Status status = Carry(plan_.steps()[next_step_]);
    // A failure may come after a manifest: its files are tidied away, its process ends.
    WatchManifest();
    HR_RETURN_IF_ERROR(status);
    WatchDeeds();
    Require(store_->resolved() == plan_.steps()[next_step_].tip, "the store stands elsewhere than the plan");
    ++next_step_;
  }
  return absl::OkStatus();
}

void CoinLife::LosePower() {
  disk_.FailPower();
  Close();
  files_.reset();
}

void CoinLife::Kill() {
  disk_.Kill();
  Close();
  files_.reset();
}

void CoinLife::End(bool may_keep) {
  Close();
  if (disk_.has_lost_writes() || !may_keep) disk_.FailPower();
  files_.reset();
}

absl::Status CoinLife::Recover() {
  if (files_ == nullptr) files_ = std::make_unique<SimFileSystem>(disk_);
  HR_RETURN_IF_ERROR(Open());
  Require(store_->recovery_start() == store_->durable(), "recovery starts elsewhere than the manifest says");
  if (!plan_.Knows(store_->recovery_start()) || !plan_.Knows(store_->recovery_end())) {
    Require(false, "the store stands at blocks that nobody made");
    return absl::OkStatus();
  }
  // The branch that the parts ahead hold comes first, then the way to our tip.
  HR_RETURN_IF_ERROR(ApplyAll(plan_.Branch(store_->recovery_start(), store_->recovery_end()), false));
  while (!plan_.IsAncestor(store_->resolved(), tip())) {
    HR_RETURN_IF_ERROR(Unapply({plan_.block(store_->resolved().hash)}));
  }
  HR_RETURN_IF_ERROR(ApplyAll(plan_.Branch(store_->resolved(), tip()), true));
  SetApplied();
  return absl::OkStatus();
}

void CoinLife::RequireFound(const CoinPublication& last, const std::optional<CoinPublication>& next) {
  manifest_ = *found_;
  Require(manifest_ == last || (next && manifest_ == *next),
          absl::StrCat("the store stands at manifest ", Show(manifest_), ", the last one published was ", Show(last),
                       " and the next one to be ", next ? Show(*next) : "of another step"));
}

void CoinLife::RequireBlocks() {
  if (!manifest_.through) return;
  const absl::StatusOr<std::vector<uint8_t>> bytes = files_->ReadWholeFile(kLifeSerial, 8);
  const bool has_serial = bytes.ok() && bytes->size() == 8;
  Require(has_serial && LoadLittle64(bytes->data()) >= plan_.serial(manifest_.through->hash),
          "a manifest is on the medium and the blocks that it relies on are not");
}

void CoinLife::RequireCoins() {
  const std::map<OutPoint, testing::NaiveCoin> none;
  const auto& coins = next_step_ == 0 ? none : *plan_.steps()[next_step_ - 1].coins;
  Require(store_->counters().coins == coins.size(), "the store counts other coins");
  std::vector<uint8_t> script;
  for (const OutPoint& outpoint : plan_.outpoints()) {
    Coin coin;
    const auto found = store_->Find(outpoint, coin, script);
    if (!found.ok()) return Require(false, found.status().ToString());
    const auto expected = coins.find(outpoint);
    Require(*found == (expected != coins.end()), *found ? "a coin is there that was spent" : "a coin is missing");
    if (*found && expected != coins.end()) Require(testing::ToNaive(coin) == expected->second, "a coin is another one");
  }
  for (const auto& verdict : store_->VerifyAll()) Require(verdict.status.ok(), verdict.status.ToString());
}

absl::Status CoinLife::StopAndRequireTidiness() {
  SetApplied();
  HR_RETURN_IF_ERROR(store_->FinishCheckpoint());
  const BlockPoint last = store_->resolved();
  Close();
  files_.reset();
  files_ = std::make_unique<SimFileSystem>(disk_);
  HR_RETURN_IF_ERROR(Open());
  Require(store_->recovery_start() == last && store_->recovery_end() == last, "a clean stop left blocks to be applied");
  const CoinState& state = store_->state();
  // What was written aside is overwritten the next time.
  std::set<std::string> named{kManifestFileName, absl::StrCat(kManifestFileName, ".new")};
  for (const Segment* segment : state.space.OldSegments()) named.insert(SegmentFileName(segment->serial));
  for (const std::string& name : disk_.List(kLifeCoins)) {
    if (named.contains(name)) continue;
    const bool is_image = name.starts_with("image-") && named.insert("image").second;
    Require(is_image, absl::StrCat(name, " is named by no manifest and is still there"));
  }
  return absl::OkStatus();
}

uint64_t CoinLife::Fingerprint() const {
  uint64_t hash = 0;
  for (const char* directory : {kLifeCoins, kLifeBlocks}) {
    for (const std::string& name : disk_.List(directory)) {
      const std::shared_ptr<SimFile> file = disk_.Find(absl::StrCat(directory, "/", name));
      for (const uint64_t word : {uint64_t{Crc32c(AsBytes(name))}, file->size(), uint64_t{Crc32c(file->live())}}) {
        hash = SimEntropy(hash ^ word).Next();
      }
    }
  }
  return hash;
}

}  // namespace headrace::sim
