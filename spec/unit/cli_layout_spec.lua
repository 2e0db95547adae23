-- SPDX-License-Identifier: MIT
-- The lines that `top` shows, for a state, rows and columns.

local layout = require "chainlink.cli.layout"

local ID = "0x0003" .. ("ab"):rep(29) .. "cd"

local function feed(name, more)
  local made = { name = name, id = ID, price = 3456.789, bid = 3456.5, ask = 3457, observed = 1700000000, age = 1.2,
    rate = 1, latency = 12.4, gaps = 0, lost = 0, reports = 77 }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

local function origin(name, more)
  local made = { origin = name, host = "localhost:1", state = "connected", connection_uptime = 75, ping_latency = 0.31,
    messages_received = 1234, reconnect_count = 0 }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

local function state_of(feeds, more)
  local state = { feeds = feeds, rate = 2.5, wall = 1700000001, uptime = 3725, stats = { active_connections = 2,
    configured_connections = 2, gaps = 1, lost = 0, accepted = 154, deduplicated = 150, dropped = 0,
    latency = { mean = 12, max = 99.7 }, origins = { origin "o1", origin "o2" } } }
  for key, value in pairs(more or {}) do state[key] = value end
  return state
end

local function feeds_of(count)
  local feeds = {}
  for i = 1, count do feeds[i] = feed("F" .. i .. "/USD") end
  return feeds
end

local function width_of(line) return select(2, line:gsub("[^\128-\191]", "")) end

describe("the view", function()
  it("at 80 columns has the feeds below the connections, and all that finds room", function()
    assert.same({
      "chainlink-streams top  2 feeds  for 1h02m  q ends                   22:13:21 UTC",
      "2 of 2 connections up  2.5 reports/s  gaps 1  lost 0  latency 12ms (max 100ms)",
      " o1  localhost:1  connected  up 1m15s  ping 0.3ms  messages 1234  reconnects 0",
      " o2  localhost:1  connected  up 1m15s  ping 0.3ms  messages 1234  reconnects 0",
      "",
      "feed               price     age  rate/s  latency  gaps  lost  observed         ",
      "ETH/USD          3456.79    1.2s     1.0     12ms     0     0  22:13:20",
      "BTC/USD          3456.79    1.2s     1.0     12ms     0     0  22:13:20",
    }, (layout.lines(state_of { feed "ETH/USD", feed "BTC/USD" }, 24, 80, 1)))
  end)

  it("at 60 columns leaves out what is wanted least", function()
    local lines = layout.lines(state_of { feed "ETH/USD" }, 24, 60, 1)
    assert.equal("chainlink-streams top  1 feed  for 1h02m        22:13:21 UTC", lines[1])
    assert.equal("feed               price     age  rate/s  latency  gaps     ", lines[6])
    assert.equal("ETH/USD          3456.79    1.2s     1.0     12ms     0", lines[7])
    assert.equal("2 of 2 connections up  2.5 reports/s  gaps 1  lost 0", lines[2])
    assert.equal(" o1  localhost:1  connected  up 1m15s  ping 0.3ms", lines[3])
  end)

  it("at 200 columns has bid, ask, times and ids", function()
    local lines = layout.lines(state_of { feed "ETH/USD" }, 24, 200, 1)
    assert.matches("^feed +price +bid +ask +age +rate/s +latency +gaps +lost +observed +reports +id *$", lines[6])
    assert.matches("^ETH/USD +3456%.79 +3456%.50 +3457%.00 +1%.2s +1%.0 +12ms +0 +0 +22:13:20 +77 +0x0003ab%.%.ababcd$",
      lines[7])
    assert.matches("max 100ms%)  reports 154  duplicates 150  dropped 0$", lines[2])
  end)

  it("gives names the room that is left, and bid and ask only together", function()
    local state = state_of { feed "WRAPPED-ETHER-BASKET/USD" }
    local function first(columns) return layout.lines(state, 24, columns, 1)[7] end
    assert.matches("^WRAPPED~ ", first(55))
    assert.matches("^WRAPPED%-ETHER%-~ ", first(68))
    assert.matches("^WRAPPED%-ETHER%-BASKET/USD +3456%.79    1%.2s", first(108))
    assert.matches("^WRAPPED%-ETHER%-BASKET/USD +3456%.79 +3456%.50 +3457%.00    1%.2s", first(109))
  end)

  it("takes each column where there is just room for it, the name cut short for the first ones", function()
    local function heads(columns, name)
      local lines = layout.lines(state_of { feed(name or "WRAPPED-ETHER-BASKET-1/USD") }, 24, columns, 1)
      return (lines[columns < 22 and 4 or 6]:gsub(" +", " "):gsub(" $", ""))
    end
    local all = { { 24, "price" }, { 32, "age" }, { 40, "rate/s" }, { 49, "latency" }, { 55, "gaps" }, { 61, "lost" },
      { 87, "observed" } }
    local words = "feed"
    for _, column in ipairs(all) do
      assert.equal(words, heads(column[1] - 1))
      words = words .. " " .. column[2]
      assert.equal(words, heads(column[1]))
    end
    assert.equal("feed price age rate/s latency gaps lost observed reports", heads(99))
    assert.equal("feed price age rate/s latency gaps lost observed", heads(98))
    assert.equal("feed price bid ask age rate/s latency gaps lost", heads(109))
    assert.equal("feed price bid ask age rate/s latency gaps lost", heads(118))
    assert.equal("feed price bid ask age rate/s latency gaps lost observed", heads(119))
    assert.equal("feed price bid ask age rate/s latency gaps lost observed", heads(130))
    assert.equal("feed price bid ask age rate/s latency gaps lost observed reports", heads(131))
    assert.equal("feed price bid ask age rate/s latency gaps lost observed reports", heads(148))
    assert.equal("feed price bid ask age rate/s latency gaps lost observed reports id", heads(149))
    local row = layout.lines(state_of { feed "WRAPPED-ETHER-BASKET-1/USD" }, 24, 200, 1)[7]
    assert.matches("^WRAPPED%-ETHER%-BASKET%-1/~  ", row)
    assert.matches("^feed price age", heads(69, "F"))
    assert.matches("^F                3456%.79 ", layout.lines(state_of { feed "F" }, 24, 200, 1)[7])
  end)

  it("has as many words in each line above as find room", function()
    local state = state_of { feed "ETH/USD" }
    -- The words that fit, the first of them cut short where not even that one does.
    local function fitting(words, width)
      if #words[1] > width then return words[1]:sub(1, width - 1) .. "~" end
      local line = words[1]
      for i = 2, #words do
        if #line + 2 + #words[i] > width then break end
        line = line .. "  " .. words[i]
      end
      return line
    end
    for width = 1, 200 do
      local lines = layout.lines(state, 24, width, 1)
      local clock = width >= 50 and "22:13:21 UTC" or ""
      local left = fitting({ "chainlink-streams top", "1 feed", "for 1h02m", "q ends" },
        clock == "" and width or width - 14)
      assert.equal(left .. (" "):rep(width - #left - #clock) .. clock, lines[1])
      assert.equal(fitting({ "2 of 2 connections up", "2.5 reports/s", "gaps 1", "lost 0", "latency 12ms (max 100ms)",
        "reports 154", "duplicates 150", "dropped 0" }, width), lines[2])
      if width > 3 then
        assert.equal(" " .. fitting({ "o1", "localhost:1", "connected", "up 1m15s", "ping 0.3ms", "messages 1234",
          "reconnects 0" }, width - 1), lines[3])
      end
    end
  end)

  it("has at each number of rows what is wanted most", function()
    local state = state_of(feeds_of(3), { trouble = { at = 1700000000, words = "gone" } })
    local function first_words(rows)
      local words = {}
      for i, line in ipairs((layout.lines(state, rows, 50, 1))) do words[i] = line:match "^%s?(%S*)" end
      return table.concat(words, " ")
    end
    assert.equal("feed", first_words(1))
    assert.equal("feed F1/USD", first_words(2))
    assert.equal("feed F1/USD feeds", first_words(3))
    assert.equal("chainlink-streams feed F1/USD feeds", first_words(4))
    assert.equal("chainlink-streams 2 feed F1/USD feeds", first_words(5))
    assert.equal("chainlink-streams 2 1.0s feed F1/USD feeds", first_words(6))
    assert.equal("chainlink-streams 2 1.0s feed F1/USD F2/USD F3/USD", first_words(7))
    assert.equal("chainlink-streams 2 1.0s  feed F1/USD F2/USD F3/USD", first_words(8))
    assert.equal("chainlink-streams 2 1.0s  feed F1/USD F2/USD F3/USD", first_words(9))
    assert.equal("chainlink-streams 2 o1 o2 1.0s  feed F1/USD F2/USD F3/USD", first_words(10))
  end)

  it("scrolls no further than there is something to see", function()
    assert.equal(1, layout.last_start(3, 10))
    assert.equal(1, layout.last_start(3, 3))
    assert.equal(2, layout.last_start(3, 2))
    assert.equal(4, layout.last_start(3, 0))
  end)

  it("is never wider nor longer than the terminal, whatever that is", function()
    local long = feed(("Ünï"):rep(30), { price = -1e30, age = 1e9, latency = 1e12, rate = 1e6, gaps = 1e6, lost = 1e9,
      reports = 1e15 })
    local trouble = { at = 1700000000, words = ("w"):rep(300) }
    for _, feeds in ipairs { { long }, feeds_of(40), {} } do
      for columns = 1, 120 do
        for _, rows in ipairs { 1, 2, 3, 8, 24 } do
          local lines = layout.lines(state_of(feeds, { trouble = trouble }), rows, columns, 1)
          assert.is_true(#lines <= rows, ("%d lines in %d rows of %d"):format(#lines, rows, columns))
          for _, line in ipairs(lines) do
            assert.is_true(width_of(line) <= columns, ("%d columns: %s"):format(columns, line))
          end
        end
      end
    end
  end)

  it("scrolls, and says where it is", function()
    local state = state_of(feeds_of(40))
    local lines, shown, start = layout.lines(state, 16, 80, 1)
    assert.equal(16, #lines)
    assert.same({ 9, 1 }, { shown, start })
    assert.equal("feeds 1 to 9 of 40; down and up scroll", lines[16])
    assert.matches("^F1/USD", lines[7])
    lines, shown, start = layout.lines(state, 16, 80, 11)
    assert.same({ 9, 11 }, { shown, start })
    assert.matches("^F11/USD", lines[7])
    for _, beyond in ipairs { 32, 33, 1000 } do
      lines, shown, start = layout.lines(state, 16, 80, beyond)
      assert.same({ 9, 32 }, { shown, start })
      assert.equal("feeds 32 to 40 of 40; down and up scroll", lines[16])
    end
    start = select(3, layout.lines(state, 16, 80, -5))
    assert.equal(1, start)
    lines, shown = layout.lines(state_of(feeds_of(10)), 16, 80, 1)
    assert.equal(10, shown)
    assert.matches("^F10/USD", lines[16])
  end)

  it("has all feeds where there is no end of rows", function()
    local lines, shown = layout.lines(state_of(feeds_of(100)), math.huge, 120, 1)
    assert.equal(100, shown)
    assert.matches("^F100/USD", lines[#lines])
  end)

  it("says what is not there yet", function()
    local waiting = { name = ID, id = ID, gaps = 0, lost = 0, reports = 0 }
    local state = state_of { waiting }
    state.rate, state.stats.latency = nil, {}
    local lines = layout.lines(state, 24, 80, 1)
    assert.matches("^0x0003ab%.%.ababcd +waiting +%- +%- +%- +0 +0 +%-$", lines[7])
    assert.matches("  %- reports/s  .*latency %-  ", lines[2] .. "  ")
  end)

  it("marks prices by where they went, and what is not as it should be", function()
    local function paint(style, value) return ("<%s:%s>"):format(style, value) end
    local down = feed("DOWN", { direction = "down", age = 31, lost = 2 })
    local trouble = { at = 1699999990, words = "disconnected h:1: gone\27" }
    local state = state_of({ feed("UP", { direction = "up" }), down }, { trouble = trouble })
    state.stats.active_connections, state.stats.origins[2].state = 1, "reconnecting"
    local lines = layout.lines(state, 24, 80, 1, paint)
    assert.matches("^<title:chainlink%-streams top ", lines[1])
    assert.matches("^<bad:1 of 2 connections up", lines[2])
    assert.matches("^ o1 ", lines[3])
    assert.matches("^<bad: o2 +localhost:1 +reconnecting", lines[4])
    assert.equal("<bad:11s ago: disconnected h:1: gone?>", lines[5])
    assert.matches("^<head:feed ", lines[7])
    assert.matches("^UP +<rose: +3456%.79>    1%.2s", lines[8])
    assert.matches("^DOWN +<fell: +3456%.79>  <bad:   31s>.*<bad:   2>  22:13:20$", lines[9])
    state.wall = trouble.at + 60
    assert.equal("<bad:1m00s ago: disconnected h:1: gone?>", layout.lines(state, 24, 80, 1, paint)[5])
    state.wall = trouble.at + 60.5
    assert.equal("", layout.lines(state, 24, 80, 1, paint)[5]) -- that was long ago
  end)

  it("marks what is late by more than half a minute, and a single report that was lost", function()
    local function paint(style, value) return ("<%s:%s>"):format(style, value) end
    local feeds = { feed("A", { age = 30, lost = 1 }), feed("B", { age = 30.1 }) }
    local late = layout.lines(state_of(feeds), 24, 80, 1, paint)
    assert.matches("^2 of 2 connections up", late[2])
    assert.matches("^A +3456%.79     30s .* 0  <bad:   1>  22:13:20$", late[7])
    assert.matches("^B +3456%.79  <bad:   30s> .* 0     0  22:13:20$", late[8])
  end)

  it("writes latencies and rates so that they can be read", function()
    local function cells(more)
      local row = layout.lines(state_of { feed("A", more) }, 24, 80, 1)[7]
      return row:match "^A +3456%.79 +1%.2s +(%S+) +(%S+)"
    end
    local function latency(value) return select(2, cells { latency = value }) end
    for value, words in pairs { [9.94] = "9.9ms", [9.95] = "10ms", [9.5] = "9.5ms", [10.8] = "11ms", [-9.5] = "-9.5ms",
      [-9.95] = "-10ms", [-999.5] = "-1000ms", [-999.6] = "0.0s", [99999.4] = "99999ms", [99999.5] = "1m40s",
      [1e6] = "16m40s" } do
      assert.equal(words, latency(value), nil, tostring(value))
    end
    for value, words in pairs { [99.94] = "99.9", [99.95] = "100", [99.5] = "99.5", [100.9] = "101" } do
      assert.equal(words, (cells { rate = value }))
    end
  end)

  it("leaves out what a connection has not", function()
    local state = state_of { feed "ETH/USD" }
    local connecting = { state = "connecting", connection_uptime = 0, messages_received = 0, reconnect_count = 0 }
    state.stats.origins = { connecting }
    assert.equal(" connecting  ping -  messages 0  reconnects 0", layout.lines(state, 24, 80, 1)[3])
  end)

  it("writes times so that they can be read", function()
    local cases = { [0] = "0.0s", [0.04] = "0.0s", [9.94] = "9.9s", [9.95] = "10s", [59.4] = "59s", [59.6] = "1m00s",
      [3599] = "59m59s", [3599.9] = "1h00m", [86340] = "23h59m", [86399] = "23h59m", [86400] = "1d", [1e9] = "11574d",
      [-3] = "0.0s" }
    for seconds, words in pairs(cases) do assert.equal(words, layout.duration(seconds)) end
    assert.equal("-", layout.duration(nil))
  end)
end)

describe("the view by its room", function()
  -- { width, words from there on, … } of what is shown of one width after the other; blanks as one.
  local function by_width(most, text_of)
    local seen, last = {}, nil
    for width = 1, most do
      local text = text_of(width):gsub(" +", " "):gsub(" $", "")
      if text ~= last then seen[#seen + 1], seen[#seen + 2], last = width, text, text end
    end
    return seen
  end

  local function heading(name)
    return function(width)
      local lines, shown = layout.lines(state_of { feed(name) }, 24, width, 1)
      return lines[#lines - shown]
    end
  end

  local first = { 1, "~", 2, "f~", 3, "fe~", 4, "feed", 24, "feed price", 32, "feed price age", 40,
    "feed price age rate/s", 49, "feed price age rate/s latency", 55, "feed price age rate/s latency gaps", 61,
    "feed price age rate/s latency gaps lost" }

  local function with_first(more)
    local all = {}
    for i, value in ipairs(first) do all[i] = value end
    for _, value in ipairs(more) do all[#all + 1] = value end
    return all
  end

  it("has the columns that are wanted most, names cut short for them", function()
    local core, bid = "feed price age rate/s latency gaps lost", "feed price bid ask age rate/s latency gaps lost"
    for name, places in pairs { ["ETH/USD"] = { 71, 83, 93, 103, 115, 133 },
      [("N"):rep(30)] = { 87, 99, 109, 119, 131, 149 } } do
      assert.same(with_first { places[1], core .. " observed", places[2], core .. " observed reports", places[3], bid,
        places[4], bid .. " observed", places[5], bid .. " observed reports", places[6],
        bid .. " observed reports id" },
        by_width(160, heading(name)))
    end
  end)

  it("has a title of what finds room, and the time of day from 50 columns on", function()
    local list = by_width(80, function(width) return layout.lines(state_of { feed "A", feed "B" }, 24, width, 1)[1] end)
    local name = "chainlink-streams top"
    for i = 1, 20 do assert.same({ i, name:sub(1, i - 1) .. "~" }, { list[2 * i - 1], list[2 * i] }) end
    assert.same({ 21, name, 30, name .. " 2 feeds", 41, name .. " 2 feeds for 1h02m", 49,
      name .. " 2 feeds for 1h02m q ends", 50, name .. " 2 feeds 22:13:21 UTC", 55,
      name .. " 2 feeds for 1h02m 22:13:21 UTC", 63, name .. " 2 feeds for 1h02m q ends 22:13:21 UTC" },
      { (table.unpack or unpack)(list, 41) }) -- luacheck: ignore 113 143
  end)

  it("has a summary and connections of what finds room", function()
    local function of(number)
      return by_width(130, function(width) return layout.lines(state_of { feed "A" }, 24, width, 1)[number] end)
    end
    local list, from = of(2), 1
    while list[from] < 21 do from = from + 2 end
    local text, expected = "2 of 2 connections up", { 21 }
    expected[2] = text
    for i, part in ipairs { 36, "2.5 reports/s", 44, "gaps 1", 52, "lost 0", 78, "latency 12ms (max 100ms)", 91,
      "reports 154", 107, "duplicates 150", 118, "dropped 0" } do
      if i % 2 == 0 then text = text .. " " .. part end
      expected[i + 2] = i % 2 == 0 and text or part
    end
    assert.same(expected, { (table.unpack or unpack)(list, from) }) -- luacheck: ignore 113 143
    local line = " o1 localhost:1"
    assert.same({ 1, "", 2, " ~", 3, " o1", 16, line, 27, line .. " connected", 37, line .. " connected up 1m15s", 49,
      line .. " connected up 1m15s ping 0.3ms", 64, line .. " connected up 1m15s ping 0.3ms messages 1234", 78,
      line .. " connected up 1m15s ping 0.3ms messages 1234 reconnects 0" }, of(3))
  end)

  it("has rows for what is wanted most", function()
    local state = state_of(feeds_of(5), { trouble = { at = 1700000000, words = "w" } })
    local seen = {}
    for rows = 1, 13 do
      local lines, shown, start = layout.lines(state, rows, 80, 1)
      local marks = {}
      for i, one in ipairs(lines) do marks[i] = one == "" and "_" or one:sub(1, 2) end
      assert.equal(1, start)
      assert.is_true(#lines <= rows)
      seen[rows] = table.concat(marks, " ") .. "/" .. shown
    end
    assert.same({ "fe/0", "fe F1/1", "fe F1 fe/1", "ch fe F1 fe/1", "ch 2  fe F1 fe/1", "ch 2  1. fe F1 fe/1",
      "ch 2  1. fe F1 F2 fe/2", "ch 2  1. _ fe F1 F2 fe/2", "ch 2  1. _ fe F1 F2 F3 fe/3",
      "ch 2   o  o 1. _ fe F1 F2 fe/2", "ch 2   o  o 1. _ fe F1 F2 F3 fe/3", "ch 2   o  o 1. _ fe F1 F2 F3 F4 F5/5",
      "ch 2   o  o 1. _ fe F1 F2 F3 F4 F5/5" }, seen)
  end)

  it("scrolls to the last feed and not beyond", function()
    for start, expected in pairs { [0] = "1 F1", [2] = "2 F2", [4] = "3 F3" } do
      local lines, shown, first_shown = layout.lines(state_of(feeds_of(5)), 8, 80, start)
      assert.equal(expected .. " 3", ("%d %s %d"):format(first_shown, lines[#lines - shown]:match "^F%d", shown))
      assert.equal(("feeds %d to %d of 5; down and up scroll"):format(first_shown, first_shown + 2), lines[#lines])
    end
    assert.same({ 1, 1, 3, 5 }, { layout.last_start(0, 0), layout.last_start(3, 5), layout.last_start(5, 3),
      layout.last_start(5, 1) })
  end)
end)

describe("a figure of the view", function()
  -- What stands below a heading of the only feed, or of a state with these.
  local function cell(head, more)
    local lines, shown = layout.lines(state_of { feed("A", more) }, 24, 160, 1)
    local _, stop = lines[#lines - shown]:find(head, 1, true)
    return lines[#lines]:sub(1, stop):match "%S+$"
  end

  it("is a latency in milliseconds, or a time", function()
    for value, text in pairs { [9.94] = "9.9ms", [9.96] = "10ms", [-9.94] = "-9.9ms", [-9.96] = "-10ms",
      [99999.4] = "99999ms", [99999.6] = "1m40s", [-999.4] = "-999ms", [-1000] = "0.0s", [-999.5] = "-1000ms",
      [99999.5] = "1m40s", [99998.7] = "99999ms", [-998.8] = "-999ms", [10.6] = "11ms",
      [9.95] = "10ms", [2e6] = "33m20s" } do
      assert.equal(text, cell("latency", { latency = value }))
    end
    assert.equal("-", cell("latency", { latency = false }))
  end)

  it("is a rate, exact where it is small", function()
    for value, text in pairs { [99.94] = "99.9", [99.95] = "100", [99.96] = "100", [100.9] = "101",
      [98.96] = "99.0" } do
      assert.equal(text, cell("rate/s", { rate = value }))
    end
  end)

  it("is an age in words that stay short", function()
    for seconds, text in pairs { [-1] = "0.0s", [9.94] = "9.9s", [9.95] = "10s", [9.96] = "10s", [59.4] = "59s",
      [59.5] = "1m00s", [7140] = "1h59m",
      [3599.4] = "59m59s", [3599.5] = "1h00m", [7199] = "1h59m", [86399.4] = "23h59m", [86399.5] = "1d",
      [86400 * 2 - 1] = "1d" } do
      assert.equal(text, layout.duration(seconds))
    end
    assert.equal("-", layout.duration(nil))
  end)

  -- The styles that are used for a feed's row.
  local function styles(more)
    local used = {}
    layout.lines(state_of { feed("A", more) }, 24, 160, 1, function(style, text)
      used[#used + 1] = style .. ":" .. text:gsub("^ +", "")
      return text
    end)
    return table.concat(used, " ", 3) -- behind the title and the heading
  end

  it("is coloured when something is bad, and by the price's direction", function()
    assert.equal("", styles { age = 30 })
    assert.equal("bad:30s", styles { age = 30.1 })
    assert.equal("bad:1", styles { lost = 1 })
    assert.equal("rose:3456.79", styles { direction = "up" })
    assert.equal("fell:3456.79", styles { direction = "down" })
  end)

  it("is trouble for a minute", function()
    local function trouble(at)
      local lines = layout.lines(state_of({ feed "A" }, { trouble = { at = at, words = "why" } }), 24, 80, 1)
      return lines[5]
    end
    assert.equal("1m00s ago: why", trouble(1700000001 - 60))
    assert.equal("", trouble(1700000001 - 60.5))
  end)
end)
