-- SPDX-License-Identifier: MIT
-- What a script's logger and callbacks are told of what the engine recorded.

local events = require "chainlink.events"

-- Hands the events to a state with these members: what was logged as {level, line, fields}, and whether there was
-- something.
local function deliver(list, members)
  local state, lines = members or {}, {}
  state.log_level = state.log_level or "debug"
  if state.logger ~= false then
    state.logger = function(level, line, fields) lines[#lines + 1] = { level, line, fields } end
  end
  local any = events.drain(state, function(from) return table.remove(from, 1) end, list)
  return lines, any
end

local function line_of(event)
  local lines = deliver { event }
  assert.are.equal(1, #lines)
  return lines[1][2]
end

describe("events", function()
  it("are handed over in order until none is left", function()
    local list = { { kind = "log", level = "info", message = "one" },
      { kind = "log", level = "warn", message = "two" } }
    local lines, any = deliver(list)
    assert.is_true(any)
    assert.are.same({}, list)
    assert.are.same({ { "info", "one", {} }, { "warn", "two", {} } }, lines)
    lines, any = deliver {}
    assert.is_false(any)
    assert.are.same({}, lines)
  end)

  local levels = { "debug", "info", "warn", "error" }
  for wanted, log_level in ipairs { "debug", "info", "warn", "error", "none" } do
    it("are logged from the level that is wanted on: " .. log_level, function()
      for rank, level in ipairs(levels) do
        local lines = deliver({ { kind = "log", level = level, message = "x" } }, { log_level = log_level })
        assert.are.equal(rank >= wanted and 1 or 0, #lines, level)
      end
    end)
  end

  it("need no logger and no callback", function()
    local list = { { kind = "log", level = "error" }, { kind = "response" },
      { kind = "status", level = "info", state = "connected", delay = 0 },
      { kind = "range", level = "warn", state = "lost", feed_id = "0x1", from = 1 } }
    deliver(list, { logger = false })
    assert.are.same({}, list)
  end)

  it("without words are an empty line, with the place and time they came from", function()
    local lines = deliver { { kind = "log", level = "info", time = 5, origin = "001", host = "h" } }
    assert.are.same({ { "info", "", { time = 5, origin = "001", host = "h" } } }, lines)
  end)
end)

describe("a change of state", function()
  it("is told in a line", function()
    local event = { kind = "status", level = "info", state = "connected", delay = 0 }
    assert.are.equal("connected", line_of(event))
    event.host = "h.example"
    assert.are.equal("connected h.example", line_of(event))
    event.state, event.message, event.delay = "reconnecting", "cut", 1.5
    assert.are.equal("reconnecting h.example: cut, next attempt in 1.5 s", line_of(event))
    event.origin, event.message, event.delay = "001", nil, 0.5
    assert.are.equal("reconnecting h.example (origin 001), next attempt in 0.5 s", line_of(event))
  end)

  it("is remembered where it is a failure", function()
    local state = {}
    deliver({ { kind = "status", level = "info", state = "connected", delay = 0, message = "well" } }, state)
    assert.is_nil(state.last_failure)
    deliver({ { kind = "status", level = "warn", state = "reconnecting", delay = 1, message = "cut" },
      { kind = "status", level = "info", state = "connected", delay = 0 } }, state)
    assert.are.equal("cut", state.last_failure)
  end)

  it("is told to on_status whatever is logged", function()
    local told
    local event = { kind = "status", level = "warn", state = "reconnecting", delay = 2, host = "h", attempt = 3,
      origin = "002", message = "cut", time = 7 }
    local lines = deliver({ event }, { log_level = "none", on_status = function(status) told = status end })
    assert.are.same({}, lines)
    assert.are.same({ state = "reconnecting", delay = 2, host = "h", attempt = 3, origin = "002", reason = "cut",
      time = 7 }, told)
  end)
end)

describe("a range of seconds", function()
  it("is told in a line", function()
    local event = { kind = "range", level = "warn", state = "gap", feed_id = "0xab", from = 10 }
    assert.are.equal("reports may be missing: feed 0xab from 10 to the next report", line_of(event))
    event.state, event.to = "backfilled", 12
    assert.are.equal("backfilled: feed 0xab from 10 to 12", line_of(event))
    event.state, event.message = "lost", "404"
    assert.are.equal("reports are lost: feed 0xab from 10 to 12: 404", line_of(event))
    event.state, event.message = "unverified", "a signer signed twice"
    assert.are.equal("a report does not verify: feed 0xab from 10 to 12: a signer signed twice", line_of(event))
  end)

  it("is told to on_status", function()
    local told
    deliver({ { kind = "range", level = "warn", state = "lost", feed_id = "0xab", from = 10, to = 12, message = "404",
      time = 7, host = "h", origin = "001" } }, { on_status = function(status) told = status end })
    assert.are.same({ state = "lost", feed_id = "0xab", from = 10, to = 12, reason = "404", time = 7, host = "h",
      origin = "001" }, told)
  end)
end)

describe("an answer", function()
  it("is told to on_response, its headers by their names in lower case", function()
    local told
    deliver({ { kind = "response", method = "GET", url = "https://h/x", status = 200, elapsed = 0.5, time = 7,
      raw_headers = "HTTP/1.1 200 OK\r\nDate: Mon, 1:2:3\r\nVARY:a\r\nvary: \t b\r\nX-Empty:\r\n\r\n" } },
      { on_response = function(response) told = response end })
    assert.are.same({ method = "GET", url = "https://h/x", status = 200, elapsed = 0.5, time = 7,
      headers = { date = "Mon, 1:2:3", vary = "a, b", ["x-empty"] = "" } }, told)
    deliver({ { kind = "response" } }, { on_response = function(response) told = response end })
    assert.are.same({}, told.headers)
  end)
end)
