-- SPDX-License-Identifier: MIT
-- The order of reports of several feeds: time, feed, blob, signatures.

local order = require "chainlink.order"

-- An entry of a report of these; how often its blob is asked for is counted in `made`.
local function entry(ms, id, blob, full, made)
  local report = { observations_timestamp_ms = ms, feed_id = id, full_report = full }
  setmetatable(report, { __index = function(_, name)
    if name ~= "report_blob" then return nil end
    if made then made.count = made.count + 1 end
    return blob
  end })
  return order.entry(report)
end

describe("the order of reports", function()
  it("is by time, then feed, then blob, then all of it", function()
    local list = { entry(1, "b", "y", "2"), entry(2, "a", "x", "1"), entry(2, "a", "x", "2"), entry(2, "a", "y", "0"),
      entry(2, "b", "a", "0"), entry(10, "a", "a", "0") }
    for i, one in ipairs(list) do
      for j, other in ipairs(list) do
        assert.equal(i < j, order.before(one, other), ("%d and %d"):format(i, j))
      end
    end
  end)

  it("makes a blob only where it decides, and once", function()
    local made = { count = 0 }
    local one, other = entry(1, "a", "x", "1", made), entry(1, "a", "y", "1", made)
    order.before(one, entry(2, "a", "x", "1", made))
    order.before(one, entry(1, "b", "x", "1", made))
    assert.is_false(order.same(one, entry(2, "a", "x", "1", made)))
    assert.is_false(order.same(one, entry(1, "b", "x", "1", made)))
    assert.equal(0, made.count)
    assert.is_true(order.before(one, other))
    assert.is_false(order.before(other, one))
    assert.is_false(order.same(one, other))
    assert.equal(2, made.count)
  end)

  it("calls two the same that others signed", function()
    assert.is_true(order.same(entry(1, "a", "x", "1"), entry(1, "a", "x", "2")))
    assert.is_false(order.same(entry(1, "a", "x", "1"), entry(1, "a", "y", "1")))
  end)

  it("takes another time for a report that tells none", function()
    local report = { feed_id = "a" }
    assert.same({ report = report, ms = 5000, id = "a" }, order.entry(report, 5))
    assert.same({ report = report, id = "a" }, order.entry(report))
    report = { feed_id = "a", observations_timestamp_ms = 7 }
    assert.equal(7, order.entry(report, 5).ms)
  end)
end)
