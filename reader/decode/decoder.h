// From a Kafka message to a document for the landing, or to the reason why it can never be one.
// Pure but for the clock that the caller reads; any thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "reader/consume/dead_letters.h"
#include "reader/consume/source.h"
#include "reader/database/document.h"
#include "reader/database/layout.h"
#include "reader/database/retention.h"
#include "reader/database/tenancy.h"
#include "reader/decode/stream.h"

namespace tidegate::reader {

class Decoder {
 public:
  struct Options {
    Tenancy tenancy = Tenancy::kShared;
    std::string database = "tidegate";
    std::string tenant = {};  // Of messages that name none; empty: there is none.
    std::set<std::string, std::less<>> tenants = {};  // Allow list; empty: any.
    Retention retention = {};
    // A little more than what a gateway takes in, because its records gain members on the way.
    json::Limits limits{.max_bytes = 1024 * 1024, .max_depth = 32, .max_values = 20'000};
  };

  Decoder(Options options, StreamTable streams)
      : options_(std::move(options)), streams_(std::move(streams)) {}

  std::variant<Document, Refusal> Decode(const SourceMessage& message, WallTime now) const;
  const StreamTable& streams() const { return streams_; }

  // The namespaces that are known before any message comes.
  std::vector<std::pair<Namespace, const Stream*>> KnownNamespaces() const;
  // What the collection of a stream is indexed by.
  std::vector<Index> IndexesOf(const Stream& stream) const;
  // The known namespaces with their indexes, for migrations.
  Layout layout() const;
  // Whether documents ever go.
  bool expires() const { return options_.retention.any(); }
  // The main one; with a database for each tenant, their names' beginning.
  const std::string& database() const { return options_.database; }
  Tenancy tenancy() const { return options_.tenancy; }

 private:
  // Fills the document's tenant and namespace; the reason if it cannot have one.
  std::optional<Refusal> Place(const StreamTable::Match& match, json::Value root,
                               Document& document) const;

  const Options options_;
  const StreamTable streams_;
};

}  // namespace tidegate::reader
