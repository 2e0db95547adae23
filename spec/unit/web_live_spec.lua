-- SPDX-License-Identifier: MIT
-- What the live page is told beside reports.

local cjson = require "cjson"
local live = require "chainlink.web.live"
local stopped_clock = require "spec.support.stopped_clock"

describe("the live page", function()
  local clock, facts, absent, monitor, page

  before_each(function()
    clock, facts, absent = stopped_clock.at(1000), {}, {}
    monitor = { noted = {}, status = "up", reasons = {} }
    function monitor:note(event) self.noted[#self.noted + 1] = event end
    function monitor.note_absent(_, key, name) absent[key] = name or "" end
    function monitor:judge() return self.status, { (table.unpack or unpack)(self.reasons) } end -- luacheck: ignore
    local told = {}
    function told.fact(_, name, key, json) facts[#facts + 1] = { name, key, cjson.decode(json) } end
    page = live.new(told, monitor, false)
  end)
  after_each(function() clock.restore() end)

  local function with_stream(figures)
    local stats = { active_connections = 1, configured_connections = 2, accepted = 70000000000, gaps = 5, lost = 2,
      latency = { mean = 12.6 }, unverified = 3 }
    for name, value in pairs(figures or {}) do stats[name] = value end
    monitor.stream = { stats = function() return stats end }
  end

  local function told()
    page:tick()
    return facts[#facts] and facts[#facts][3]
  end

  it("is told of feeds by their ids, or by their names where they have none", function()
    page:add("0x03", "ETH/USD")
    page:add(nil, 'N"E/USD', "no feed\nof that name")
    assert.are.same({
      { "feed", "feed 0x03", { feed_id = "0x03", name = "ETH/USD" } },
      { "feed", 'feed N"E/USD', { feed_id = 'N"E/USD', name = 'N"E/USD', problem = "no feed?of that name" } },
    }, facts)
    assert.are.same({ ["0x03"] = "", ['N"E/USD'] = 'N"E/USD' }, absent)
  end)

  it("is told the state with its figures", function()
    with_stream()
    monitor.status, monitor.reasons = "degraded", { "one\0", "two" }
    page:tick()
    assert.are.same({ "state", "state", { status = "degraded", reasons = { "one?", "two" }, verifies = false,
      figures = { { "connections", "1 of 2" }, { "reports", "70000000000" }, { "gaps filled", "3 of 5" },
        { "lost", "2" }, { "latency", "13 ms" } } } }, facts[1])
  end)

  it("is told what was not verified where reports are, and no latency before there is one", function()
    page = live.new({ fact = function(_, _, _, json) facts[1] = { 1, 1, cjson.decode(json) } end }, monitor, true)
    with_stream { latency = {} }
    local state = told()
    assert.is_true(state.verifies)
    assert.are.same({ "latency", "–" }, state.figures[5])
    assert.are.same({ "not verified", "3" }, state.figures[6])
  end)

  it("has no figures without a stream, or after it", function()
    assert.are.same({}, told().figures)
    monitor.stream = { stats = function() end }
    clock.now = 1001
    assert.are.same({}, told().figures)
  end)

  it("is told the state once a second, when it has changed", function()
    page:tick()
    monitor.status = "down"
    clock.now = 1000.999
    page:tick()
    assert.are.equal(1, #facts)
    clock.now = 1001
    page:tick()
    clock.now = 1002
    page:tick()
    assert.are.same({ 2, "down" }, { #facts, facts[2][3].status })
  end)

  it("is told at once what keeps all from working", function()
    page:tick()
    monitor.status = "down"
    page:fail "no route"
    page:tick()
    assert.are.same({ 2, "no route" }, { #facts, monitor.why })
  end)

  it("passes events on, and tells each loss once and for a minute", function()
    page:add("0x03", "ETH/USD")
    monitor.reasons = { "first" }
    for _, event in ipairs { { state = "connected" }, { state = "lost", feed_id = "0x03", reason = "two reports" },
      { state = "lost", feed_id = "0x04", reason = "one" }, { state = "lost", feed_id = "0x04", reason = "one" },
      { state = "lost" } } do page:note(event) end
    assert.are.equal(5, #monitor.noted)
    local all = { "first", "ETH/USD: two reports", "0x04: one", "reports were lost" }
    assert.are.same(all, told().reasons)
    clock.now = 1030
    page:note { state = "lost", feed_id = "0x04", reason = "one" }
    clock.now = 1060
    assert.are.same(all, told().reasons)
    clock.now = 1061
    assert.are.same({ "first", "0x04: one" }, told().reasons)
    clock.now = 1091
    assert.are.same({ "first" }, told().reasons)
  end)
end)
