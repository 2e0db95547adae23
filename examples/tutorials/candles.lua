-- SPDX-License-Identifier: MIT
-- Groups reports into candles of so many seconds.

local candles = {}

--- An array of {time=, open=, high=, low=, close=, count=}, by the iterator's order. A span without a report has none.
function candles.of(reports, seconds)
  local list, current = {}, nil
  for report in reports do
    local time = report.observations_timestamp - report.observations_timestamp % seconds
    local price = report.price
    if not current or current.time ~= time then
      current = { time = time, open = price, high = price, low = price, count = 0 }
      list[#list + 1] = current
    end
    current.high, current.low = math.max(current.high, price), math.min(current.low, price)
    current.close, current.count = price, current.count + 1
  end
  return list
end

return candles
