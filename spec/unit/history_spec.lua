-- SPDX-License-Identifier: MIT
-- client:reports over pages that end within a second, repeat, are empty or out of order.

local errors = require "chainlink.errors"
local history = require "chainlink.history"
local check = require "spec.support.failure"

local unpack = table.unpack or unpack -- luacheck: ignore

local function report(time, blob)
  return { observations_timestamp = time, report_blob = blob or tostring(time) }
end

-- A service whose pages hold `limit` reports; counts what is asked.
local function service(all, limit, asked)
  return function(start)
    asked[#asked + 1] = start
    local page = {}
    for _, item in ipairs(all) do
      if item.observations_timestamp >= start and #page < limit then page[#page + 1] = item end
    end
    return { reports = page }
  end
end

local function finish(page) return page end

local function collect(begin, from, to)
  local got = {}
  for item in history.iterate(begin, finish, from, to) do got[#got + 1] = item.report_blob end
  return table.concat(got, " ")
end

describe("a range of history", function()
  local all = { report(10), report(11, "11a"), report(11, "11b"), report(11, "11c"), report(12), report(15) }

  for limit = 1, 7 do
    -- Three reports of one second cannot be had in pages of fewer.
    local expected = limit == 1 and "10 11a 12 15" or limit == 2 and "10 11a 11b 12 15" or "10 11a 11b 11c 12 15"
    it("comes whole, in order and once, in pages of " .. limit, function()
      local asked = {}
      assert.are.equal(expected, collect(service(all, limit, asked), 10, 100))
      assert.is_true(#asked < 20)
    end)
  end

  it("comes whole of a service that gives larger pages, where one second has more reports than a page", function()
    local limits = {}
    local function begin(start, limit)
      limits[#limits + 1] = limit
      return service(all, limit, {})(start)
    end
    local got = {}
    for item in history.iterate(begin, finish, 10, 100, 2) do got[#got + 1] = item.report_blob end
    assert.are.equal("10 11a 11b 11c 12 15", table.concat(got, " "))
    assert.are.equal(2, limits[1])
    assert.are.equal(4, limits[#limits])
  end)

  it("asks for no more than a page may have", function()
    local limits, many = {}, {}
    for i = 1, 4000 do many[i] = report(10, ("%08d"):format(i)) end
    local function begin(start, limit)
      limits[#limits + 1] = limit
      return service(many, 3000, {})(start) -- the most that it gives
    end
    local count = 0
    for _ in history.iterate(begin, finish, 10, 11, 3000) do count = count + 1 end
    assert.are.equal(3000, count)
    assert.are.equal(6000, math.max(unpack(limits)))
  end)

  -- The limits that were asked for, of a service with so many reports of one second, up to `most` in a page.
  local function limits_for(count, first, most, start)
    local limits, many = {}, {}
    for i = 1, count do many[i] = report(10, ("%08d"):format(i)) end
    local function begin(from, limit)
      limits[#limits + 1] = limit
      return service(many, math.min(limit, most), {})(from)
    end
    for _ in history.iterate(begin, finish, start or 10, 11, first) do end
    return limits
  end

  it("asks for larger pages up to the largest that there is, and no further", function()
    assert.are.same({ 2000, 2000, 4000, 4000, 4000 }, limits_for(3000, 2000, math.huge))
    assert.are.same({ 10000, 10000, 10000 }, limits_for(10, 10000, 10))
    local limits = limits_for(4096, 2500, math.huge)
    assert.are.equal(5000, limits[#limits])
  end)

  -- The starts and limits that are asked for, of a service whose pages are filled with one report of second `time`.
  local function asked_of_one(time, limit, from, to)
    local list, got = {}, 0
    local function begin(start, most)
      list[#list + 1] = start .. " " .. most
      assert(#list < 20, "it asks for ever")
      local page = {}
      for i = 1, start <= time and most or 0 do page[i] = report(time, "one") end
      return { reports = page }
    end
    for _ in history.iterate(begin, finish, from, to, limit) do got = got + 1 end
    return list, got
  end

  it("asks for as many as 10000 of a second that fills its pages, then for the next second", function()
    local list, got = asked_of_one(10, 6000, 10, 12)
    assert.are.same({ "10 6000", "10 6000", "10 10000", "11 10000" }, list)
    assert.are.equal(1, got)
  end)

  it("ends with a page that is full of reports behind its end", function()
    local list, got = asked_of_one(30, 2, 10, 20)
    assert.are.same({ "10 2" }, list)
    assert.are.equal(0, got)
  end)

  it("goes on with the second that a page of one report ended in", function()
    local page = { report(10, "a") }
    assert.are.equal("a b", collect(function(start)
      local reports = start == 10 and page or {}
      page = { report(10, "a"), report(10, "b") }
      return { reports = reports }
    end, 10, 12))
  end)

  it("takes reports that tell no time for those of the second it is in", function()
    local asked = {}
    local function begin(start, limit)
      asked[#asked + 1] = start .. " " .. limit
      local item = start == 11 and report(11) or { report_blob = "no time" }
      return { reports = start < 12 and { item } or {} }
    end
    local got = {}
    for item in history.iterate(begin, finish, 10, 12, 1) do got[#got + 1] = item.report_blob end
    assert.are.same({ "no time", "11" }, got)
    assert.are.same({ "10 1", "10 1", "10 2", "11 2", "11 2", "12 2" }, asked)
  end)

  it("includes both ends and nothing beyond", function()
    assert.are.equal("11a 11b 11c 12", collect(service(all, 3, {}), 11, 12))
    assert.are.equal("11a 11b 11c 12", collect(service(all, 100, {}), 11, 14))
    assert.are.equal("", collect(service(all, 3, {}), 13, 14))
    assert.are.equal("", collect(service(all, 3, {}), 12, 11))
  end)

  it("asks for the next page before the script wants it", function()
    local asked = {}
    local next_report = history.iterate(service(all, 3, asked), finish, 10, 100)
    assert.are.same({ 10 }, asked)
    next_report()
    assert.are.same({ 10, 11 }, asked)
  end)

  it("ends though the service repeats itself", function()
    local asked = {}
    local function begin(start)
      asked[#asked + 1] = start
      return { reports = { report(10), report(11) } }
    end
    assert.are.equal("10 11", collect(begin, 10, 2000000000))
    assert.is_true(#asked < 5)
  end)

  it("leaves out what comes out of order", function()
    local pages = { { reports = { report(10), report(9), report(12), report(11) } } }
    assert.are.equal("10 12", collect(function() return table.remove(pages, 1) or { reports = {} } end, 10, 20))
  end)

  it("follows the service over an empty page", function()
    local pages = { [10] = { reports = {}, next_page_timestamp = 50 }, [50] = { reports = { report(50) } } }
    assert.are.equal("50", collect(function(start) return pages[start] or { reports = {} } end, 10, 60))
    local back = { [10] = { reports = {}, next_page_timestamp = 10 } }
    assert.are.equal("", collect(function(start) return back[start] end, 10, 60))
  end)

  -- A service that always has something new to tell of one second.
  local function endless(size)
    local count = 0
    return function(start)
      local page = {}
      for i = 1, 500 do
        count = count + 1
        page[i] = report(start, ("%08d"):format(count):rep(size))
      end
      return { reports = page }
    end
  end

  it("ends in an error when one second does not", function()
    local got, iterate = 0, history.iterate(endless(1), finish, 10, 11)
    local err = check.raised("DecodeError", {}, function()
      for _ in iterate do got = got + 1 end
    end)
    assert.are.equal(4096, got)
    check.says(err, "more than 4096 different reports of second 10")
    assert.are.equal(err, select(2, pcall(iterate))) -- and stays there
  end)

  it("ends in an error when one second is too much to remember", function()
    local got, iterate = 0, history.iterate(endless(16384), finish, 10, 11)
    local err = check.raised("DecodeError", {}, function()
      for _ in iterate do got = got + 1 end
    end)
    assert.are.equal(256, got) -- 128 KiB of text each
    check.says(err, "more than 32 MiB of report blobs of second 10")
  end)

  it("counts the text of each second anew", function()
    local large, pages = ("x"):rep(2 ^ 20 - 2), {}
    for time = 10, 11 do
      local page = {}
      for i = 1, 32 do page[i] = report(time, ("%02d"):format(i) .. large) end -- 32 MiB
      pages[time] = { reports = page }
    end
    local count = 0
    for _ in history.iterate(function(start) return pages[start] or { reports = {} } end, finish, 10, 12) do
      count = count + 1
    end
    assert.are.equal(64, count)
  end)

  it("gives a second whole that has as many reports as that", function()
    local many = {}
    for i = 1, 4096 do many[i] = report(10, ("%08d"):format(i)) end
    many[#many + 1] = report(11, "last")
    local count, last = 0, nil
    for item in history.iterate(service(many, 5000, {}), finish, 10, 11) do count, last = count + 1, item end
    assert.are.equal(4097, count)
    assert.are.equal("last", last.report_blob)
  end)

  it("raises the error object of a page that fails, after the reports before it", function()
    local pages = { { reports = { report(10) } } }
    local next_report = history.iterate(function() return true end, function()
      local page = table.remove(pages, 1)
      if page then return page end
      return nil, errors.new("NetworkError", "cut")
    end, 10, 20)
    assert.are.equal(10, next_report().observations_timestamp)
    local ok, err = pcall(next_report)
    assert.is_false(ok)
    assert.are.equal("NetworkError", err.kind)
  end)

  it("is not asked for twice at once", function()
    local next_report
    next_report = history.iterate(function() return true end, function()
      check.says(check.raised("ConfigError", {}, next_report), "waits for a page already")
      return { reports = { report(10) } }
    end, 10, 10)
    assert.are.equal(10, next_report().observations_timestamp)
    assert.is_nil(next_report())
  end)

  it("counts the reports of each second anew", function()
    local many = {}
    for time = 10, 11 do
      for i = 1, 4096 do many[#many + 1] = report(time, ("%d %08d"):format(time, i)) end
    end
    local count = 0
    for _ in history.iterate(service(many, 10000, {}), finish, 10, 11) do count = count + 1 end
    assert.are.equal(8192, count)
  end)

  it("raises the error object of a request that cannot begin", function()
    local ok, err = pcall(history.iterate(function() return nil, errors.new("StreamClosedError", "closed") end,
      finish, 10, 20))
    assert.is_false(ok)
    assert.are.equal("StreamClosedError", err.kind)
  end)
end)

describe("the history of several feeds", function()
  -- Reports of a feed, "time.ms" each, as an iterator; one that is an error is raised.
  local function feed(id, ...)
    local place, list = 0, { ... }
    return function()
      place = place + 1
      local item = list[place]
      if type(item) == "table" then error(item, 0) end
      return item and { feed_id = id, observations_timestamp = math.floor(item), full_report = "",
        observations_timestamp_ms = math.floor(item * 1000 + 0.5), report_blob = ("%s %.3f"):format(id, item) }
    end
  end

  local function merged(...)
    local got = {}
    for item in history.merge({ ... }, 10) do got[#got + 1] = item.report_blob end
    return table.concat(got, ", ")
  end

  it("is in the order of time, then of feeds", function()
    assert.are.equal("a 10.000, b 10.000, b 11.000, a 12.000, c 12.000, b 13.000",
      merged(feed("a", 10, 12), feed("b", 10, 11, 13), feed("c", 12)))
    assert.are.equal("", merged(feed "a", feed "b"))
    assert.are.equal("", merged())
  end)

  it("is so within a second too", function()
    assert.are.equal("b 10.100, a 10.250, b 10.250, a 10.500, a 11.000",
      merged(feed("a", 10.25, 10.5, 11), feed("b", 10.1, 10.25)))
  end)

  it("has reports of one time by their blobs, in whatever order they came", function()
    local function twice(first, second)
      local list = { first, second }
      return history.merge({ function()
        local blob = table.remove(list, 1)
        return blob and { feed_id = "a", observations_timestamp = 10, observations_timestamp_ms = 10000,
          full_report = "", report_blob = blob }
      end }, 10)
    end
    for _, case in ipairs { { "x", "y" }, { "y", "x" } } do
      local iterate = twice(case[1], case[2])
      assert.are.equal("x", iterate().report_blob)
      assert.are.equal("y", iterate().report_blob)
      assert.is_nil(iterate())
    end
  end)

  it("gives the seconds before one that fails, and then only errors", function()
    local iterate = history.merge({ feed("a", 10, 11), feed("b", 10, errors.new("NetworkError", "cut")) }, 10)
    local ok, err = pcall(iterate)
    assert.is_false(ok) -- it must know whether there is more of the second
    assert.are.equal("NetworkError", err.kind)
    check.raised("ConfigError", {}, iterate)
    iterate = history.merge({ feed("a", 10, 11), feed("b", 10, 11, errors.new("NetworkError", "cut")) }, 10)
    assert.are.equal("a 10.000", iterate().report_blob)
    assert.are.equal("b 10.000", iterate().report_blob)
    ok, err = pcall(iterate)
    assert.is_false(ok)
    assert.are.equal("NetworkError", err.kind)
  end)

  it("puts a report that tells no time where it came", function()
    local list = { { feed_id = "a", report_blob = "1", full_report = "" },
      { feed_id = "a", observations_timestamp = 12, observations_timestamp_ms = 12000, report_blob = "2",
        full_report = "" } }
    local got = {}
    for item in history.merge({ function() return table.remove(list, 1) end }, 10) do
      got[#got + 1] = item.report_blob
    end
    assert.are.same({ "1", "2" }, got)
  end)
end)
