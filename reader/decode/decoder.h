// Turns a Kafka message into a document for the landing, or into the reason why it can never be
// one. Any thread, several at once.
#pragma once

#include <memory>
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
#include "reader/decode/tenants.h"

namespace tidegate::reader {

class Decoder {
 public:
  struct Options {
    Tenancy tenancy = Tenancy::kShared;
    std::string database = "tidegate";
    // The tenant of messages that name none; empty: they have no tenant.
    std::string tenant = {};
    // The tenants that may land; empty: any tenant may.
    std::set<std::string, std::less<>> tenants = {};
    Retention retention = {};
    // True: SetTenants() may bring a retention later, so that every collection needs its index.
    bool retention_may_come = false;
    // A little more than a gateway accepts, because records gain members on their way. Larger
    // limits cost memory for each message that is being decoded.
    json::Limits limits{.max_bytes = 1024 * 1024, .max_depth = 32, .max_values = 20'000};
  };

  Decoder(Options options, StreamTable streams)
      : options_(std::move(options)),
        streams_(std::move(streams)),
        tenants_(std::make_shared<TenantTable>(Tenants{options_.tenants, options_.retention})) {}

  // Replaces the tenants of the options: messages that are decoded from now on obey these.
  void SetTenants(Tenants tenants) { tenants_->Set(std::move(tenants)); }

  // `now` is the time of receipt. The document points to its stream, which lives as long as this
  // decoder.
  std::variant<Document, Refusal> Decode(const SourceMessage& message, WallTime now) const;
  const StreamTable& streams() const { return streams_; }

  // Returns the namespaces that are known before any message comes, each with its stream.
  std::vector<std::pair<Namespace, const Stream*>> KnownNamespaces() const;
  // Returns the indexes of a stream's collection.
  std::vector<Index> IndexesOf(const Stream& stream) const;
  // Returns the known namespaces with their indexes, for migrations.
  Layout layout() const;
  // True if any document ever expires.
  bool expires() const { return options_.retention_may_come || tenants_->Get()->retention.any(); }
  // The main database; with a database for each tenant, the prefix of their names.
  const std::string& database() const { return options_.database; }
  Tenancy tenancy() const { return options_.tenancy; }

 private:
  // Sets the document's tenant and namespace, or returns why it cannot have them.
  std::optional<Refusal> Place(const StreamTable::Match& match, json::Value root,
                               const Tenants& tenants, Document& document) const;

  const Options options_;
  const StreamTable streams_;
  const std::shared_ptr<TenantTable> tenants_;
};

}  // namespace tidegate::reader
