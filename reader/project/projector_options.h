// The options of a projector (projector.h), with their defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "core/backoff.h"
#include "reader/project/folder.h"
#include "reader/project/laggards.h"

namespace tidegate::reader {

struct ProjectorOptions {
  // A batch is folded at the first of these limits. Larger batches load and save each projection
  // less often.
  size_t batch_records = 2'000;
  size_t batch_bytes = 2 * 1024 * 1024;
  // Since the batch's first message.
  std::chrono::milliseconds batch_interval{500};
  // How long to wait before the landing's positions are read again, if buffered messages have not
  // landed yet.
  std::chrono::milliseconds landing_interval{200};
  // How long messages that have landed wait for others that were buffered and have not, so that
  // they are folded together, by time. It is that much delay, and costs no throughput.
  std::chrono::milliseconds order_patience{1'000};
  // How long one attempt may keep the projector from polling Kafka; the next one folds the rest. It
  // may take longer by the time limits of one database.
  std::chrono::milliseconds fold_time{10'000};
  // A database that takes as long, and more for each change than others, lags from then on.
  std::chrono::milliseconds slow{2'000};
  Laggards::Options laggards = {};
  // Between attempts while the database is unreachable.
  Backoff::Options backoff{};
  // The database that holds the landing's positions.
  std::string database = "tidegate";
  Folder::Options folder;
};

}  // namespace tidegate::reader
