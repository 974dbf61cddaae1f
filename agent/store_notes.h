// Keeps the notes of drivers in the store, as named values. Loop thread only.
#pragma once

#include <optional>
#include <string>

#include "drivers/driver_notes.h"
#include "store/store.h"

namespace tidegate {

class StoreNotes final : public DriverNotes {
 public:
  // `store` outlives the notes.
  explicit StoreNotes(Store& store) : store_(store) {}

  Result<std::optional<std::string>> Read(const std::string& name) override {
    return store_.ReadValue("driver." + name);
  }
  Status Write(const std::string& name, const std::string& text) override {
    return store_.WriteValue("driver." + name, text);
  }

 private:
  Store& store_;
};

}  // namespace tidegate
