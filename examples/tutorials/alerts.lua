-- SPDX-License-Identifier: MIT
-- Tells when a price has moved by so many percent within so many seconds.

local alerts = {}

--- A rule, a function of a report: the move in percent, and true where it is an alert.
function alerts.rule(percent, seconds)
  local window = {}
  return function(report)
    local now = report.observations_timestamp
    window[#window + 1] = { time = now, price = report.price }
    while window[1].time < now - seconds do table.remove(window, 1) end
    local move = 100 * (report.price / window[1].price - 1)
    local is_alert = math.abs(move) >= percent
    if is_alert then window = {} end -- the next alert wants another such move
    return move, is_alert
  end
end

return alerts
