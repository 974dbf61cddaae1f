#include "uplink/gate/send_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/quantity.h"

namespace tidegate {

namespace {
using std::chrono::minutes;

constexpr size_t kMaxWindows = 16;
constexpr minutes kDay = std::chrono::hours(24);

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Of a list with commas; an empty one fails the check of its elements.
std::vector<std::string_view> Elements(std::string_view text) {
  std::vector<std::string_view> elements;
  for (;;) {
    const size_t comma = text.find(',');
    elements.push_back(Trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return elements;
    text.remove_prefix(comma + 1);
  }
}

Error Invalid(std::string_view element, std::string_view what) {
  return Error{ErrorCode::kInvalid, fmt::format("\"{}\" is not {}", element, what)};
}

Result<BudgetLimit> ParseBudget(std::string_view element) {
  constexpr std::string_view kForm = "a budget like 50MiB/day or 2MiB/hour";
  const size_t slash = element.find('/');
  if (slash == std::string_view::npos) return Invalid(element, kForm);
  const std::string_view period = Trim(element.substr(slash + 1));
  const auto bytes = ParseBytes(Trim(element.substr(0, slash)));
  if (!bytes || (period != "day" && period != "hour")) return Invalid(element, kForm);
  if (*bytes < kMinBudgetBytes) {
    return Invalid(element,
                   fmt::format("a budget of at least {}: less would be used up by connecting",
                               FormatBytes(kMinBudgetBytes)));
  }
  return BudgetLimit{*bytes,
                     period == "day" ? BudgetLimit::Period::kDay : BudgetLimit::Period::kHour};
}

// hh:mm
std::optional<minutes> ParseTimeOfDay(std::string_view text) {
  const auto digit = [&](size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const minutes time{hour * 60 + minute};
  if (minute > 59 || time > kDay) return std::nullopt;
  return time;
}

Result<SendWindow> ParseWindow(std::string_view element) {
  constexpr std::string_view kForm = "a window like 02:00-05:00 or 22:30-04:00";
  const size_t dash = element.find('-');
  if (dash == std::string_view::npos) return Invalid(element, kForm);
  const auto from = ParseTimeOfDay(Trim(element.substr(0, dash)));
  const auto to = ParseTimeOfDay(Trim(element.substr(dash + 1)));
  if (!from || !to || *from == kDay) return Invalid(element, kForm);
  if (*from == *to)
    return Invalid(element, "a window: it begins when it ends; all day is 00:00-24:00");
  return SendWindow{*from, *to};
}
}  // namespace

Result<std::vector<BudgetLimit>> ParseBudgets(std::string_view text) {
  std::vector<BudgetLimit> budgets;
  for (const std::string_view element : Elements(text)) {
    Result<BudgetLimit> budget = ParseBudget(element);
    if (!budget.ok()) return budget.error();
    if (std::ranges::any_of(budgets,
                            [&](const auto& other) { return other.period == budget->period; })) {
      return Invalid(element, fmt::format("the first budget of the {}; each period has one",
                                          budget->PeriodName()));
    }
    budgets.push_back(*budget);
  }
  return budgets;
}

bool SendWindow::Contains(std::chrono::seconds time_of_day) const {
  if (from < to) return time_of_day >= from && time_of_day < to;
  return time_of_day >= from || time_of_day < to;
}

std::string SendWindow::Text() const {
  return fmt::format("{:02}:{:02}-{:02}:{:02}", from.count() / 60, from.count() % 60,
                     to.count() / 60, to.count() % 60);
}

Result<std::vector<SendWindow>> ParseWindows(std::string_view text) {
  std::vector<SendWindow> windows;
  for (const std::string_view element : Elements(text)) {
    Result<SendWindow> window = ParseWindow(element);
    if (!window.ok()) return window.error();
    if (windows.size() == kMaxWindows) {
      return Error{ErrorCode::kInvalid, fmt::format("there are more than {} windows", kMaxWindows)};
    }
    windows.push_back(*window);
  }
  return windows;
}

std::chrono::seconds UntilChange(const std::vector<SendWindow>& windows,
                                 std::chrono::seconds time_of_day) {
  const auto open_at = [&](std::chrono::seconds time) {
    return std::ranges::any_of(windows, [&](const SendWindow& window) {
      return window.Contains(time % std::chrono::seconds(kDay));
    });
  };
  const bool open = open_at(time_of_day);
  const auto end = time_of_day + kDay;
  auto next = std::chrono::floor<minutes>(time_of_day) + minutes(1);
  while (next < end && open_at(next) == open) next += minutes(1);
  return next - time_of_day;
}

}  // namespace tidegate
