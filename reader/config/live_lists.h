// The lists that may change while the reader runs: the tenants that may land, and the tokens of the
// API. Their files are read again when they have changed. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/result.h"
#include "reader/config/setting_file.h"
#include "reader/database/tenancy.h"
#include "reader/decode/tenants.h"
#include "reader/serve/tokens.h"

namespace tidegate::reader {

class LiveLists {
 public:
  // What the configuration determined when it was loaded.
  struct Options {
    // Empty: the list has no file.
    std::string tenants_file = {};
    std::string tokens_file = {};
    // The tenants and retentions that variables name; those of the file are added.
    Tenants of_variables = {};
    // How databases are named: two tenants must not share one.
    Tenancy tenancy = Tenancy::kShared;
    std::string database = {};
    // The tenant of messages that name none; empty: there is none.
    std::string default_tenant = {};
    // The servers that the file named when it was first read, by database. They are opened once, at
    // the start.
    std::map<std::string, std::string> landing_of_database = {};
  };
  struct Lists {
    Tenants tenants = {};
    // The servers of the tenants in the file, by database.
    std::map<std::string, std::string> landing_of_database = {};
    // No value: there is no file of tokens.
    std::optional<TokenTable> tokens = {};
    // Tenants of the file that must wait for a restart, because their server is not known yet. They
    // are not allowed to land: they would land on the wrong server.
    size_t waiting_for_restart = 0;
  };

  explicit LiveLists(Options options);

  bool any() const { return !options_.tenants_file.empty() || !options_.tokens_file.empty(); }
  // Returns true if a file has changed since the last Read() began.
  bool Changed() const;
  // Reads all files. kInvalid: one of them is wrong; what was in force stays.
  Result<Lists> Read();

 private:
  Status ReadTenants(Lists& lists) const;

  const Options options_;
  FileStamp tenants_stamp_;
  FileStamp tokens_stamp_;
};

// Adds the tenants of a file's text to those of the variables. With `known` servers, tenants whose
// server is another one wait for a restart. kInvalid: the text is wrong, or two tenants would share
// a database.
Result<LiveLists::Lists> MergeTenants(const LiveLists::Options& options, std::string_view text,
                                      const std::map<std::string, std::string>* known);

}  // namespace tidegate::reader
