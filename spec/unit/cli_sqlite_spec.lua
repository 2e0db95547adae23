-- SPDX-License-Identifier: MIT
-- Databases of SQLite that a command writes: what is in them, from when on, and what they are called.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local failure = require "spec.support.failure"
local open_files = require "spec.support.open_files"
local project = require "spec.support.project"
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local sqlite = require "chainlink.cli.files.sqlite"
local sqlite_rows = require "spec.support.sqlite_rows"
local stopped_clock = require "spec.support.stopped_clock"

local vectors = require "spec.support.vectors"

local T = 1700000000
local A = recording.id(3, 1)

if not core.sqlite_open(":memory:", true) then
  describe("a database that a command writes", function()
    it("has reports", function() pending "there is no libsqlite3" end)
  end)
  return
end

describe("a database that a command writes", function()
  local folder, remove, path
  before_each(function()
    folder, remove = project.folder()
    path = folder .. "/file.sqlite"
  end)
  after_each(function() remove() end)

  local function rows(sql) return sqlite_rows(path, sql) end

  local function count() return tonumber(rows("SELECT count(*) FROM reports")[1]) end

  local function report(second, number, valid_from)
    return assert(chainlink.decode(recording.report(3, number or 1, second, valid_from)))
  end

  it("is whole at times: each second, and after 500 reports", function()
    local clock = stopped_clock.at(1000)
    local file = sqlite.write(path, { A }, {})
    local function write(from, to)
      for second = from, to do file:write(report(T + second)) end
      file:settle()
      return count()
    end
    local seen = { write(1, 1), write(2, 500), write(501, 501), write(502, 502) }
    clock.now = 1000.75
    seen[5] = write(503, 503)
    clock.now = 1001
    seen[6] = write(504, 504)
    seen[7] = write(505, 505)
    file:settle()
    file:close()
    clock.restore()
    assert.same({ 1, 1, 501, 501, 501, 504, 504 }, seen)
    assert.equal(505, count())
  end)

  it("has each report with its times, fields and signers' word", function()
    local file = sqlite.write(path, {}, {})
    local one, other = report(T + 1, 1, T), chainlink.decode(sample.v8)
    file:write(one, "A")
    file:write(one, "A")
    file:write(other)
    file:close()
    local expected = ("%d000|%s|3|%d000|%d000|%s|%s|%s"):format(T + 1, A, T, T + 1 + 86400, one:exact "price",
      one:digest(), one.full_report)
    assert.same({ expected }, rows("SELECT observations_timestamp_ms, feed_id, version, valid_from_timestamp_ms, "
      .. "expires_at_ms, price, digest, full_report FROM reports WHERE version = 3"))
    local tiny = "0." .. ("0"):rep(17)
    local head = ('{"valid_from_timestamp":%d,"observations_timestamp":%d,"native_fee":"%s1","link_fee":"%s2",'):format(
      T, T + 1, tiny, tiny)
    assert.same({ head .. ('"expires_at":%d,"benchmark_price":"%s1","bid":"%s2","ask":"%s3"}'):format(T + 86401, tiny,
      tiny, tiny) }, rows "SELECT fields FROM reports WHERE version = 3")
    assert.same({ A .. "|3|A", other.feed_id .. "|8|" }, rows "SELECT feed_id, version, coalesce(name, '') FROM feeds")
    assert.same({ "1" }, rows "PRAGMA user_version")
    assert.same({ "wal" }, rows "PRAGMA journal_mode")
    assert.same({ "v3", "v8" }, rows "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")
    assert.same({ "A|1" }, rows "SELECT name, count(*) FROM v3")
    assert.same({ "feed_id", "name", "observations_timestamp_ms", "price", "valid_from_timestamp",
      "observations_timestamp", "native_fee", "link_fee", "expires_at", "benchmark_price", "bid", "ask",
      "full_report" },
      rows "SELECT name FROM pragma_table_info('v3')")
  end)

  it("learns a name as soon as one is known, and keeps it", function()
    local file = sqlite.write(path, {}, {})
    file:write(report(T))
    file:write(report(T + 1), "first")
    file:write(report(T + 2), "second")
    file:write(report(T + 3))
    file:close()
    assert.same({ A .. "|first" }, rows "SELECT feed_id, name FROM feeds")
  end)

  it("has each feed's row looked at once, and once more for its name", function()
    local prepare, looks = core.sqlite_prepare, 0
    finally(function() core.sqlite_prepare = prepare end)
    core.sqlite_prepare = function(database, sql)
      if sql:find "^INSERT INTO feeds" then looks = looks + 1 end
      return prepare(database, sql)
    end
    local file = sqlite.write(path, {}, {})
    local seen = {}
    for i, name in ipairs { false, false, "first", "first", "second", false } do
      file:write(report(T + i), name or nil)
      seen[i] = looks
    end
    file:write(report(T, 2), "other")
    file:write(report(T + 1, 2), "other")
    file:close()
    assert.same({ 1, 1, 2, 2, 2, 2 }, seen)
    assert.equal(3, looks)
  end)

  it("has nothing where a report has no such time", function()
    local real = report(T)
    local one = setmetatable({ observations_timestamp_ms = T * 1000, feed_id = A, version = 3, full_report = "0x1",
      exact = function() return nil end, to_table = function() return real:to_table() end,
      digest = function() return "d" end }, nil)
    local file = sqlite.write(path, {}, {})
    file:write(one)
    file:close()
    assert.same({ T .. "000|false|false|false|d" }, rows("SELECT observations_timestamp_ms, valid_from_timestamp_ms, "
      .. "expires_at_ms, price, digest FROM reports"))
  end)

  it("tells what its library refuses, with its path", function()
    local file = sqlite.write(path, {}, {})
    file:write(report(T))
    local real = {}
    finally(function() for name, call in pairs(real) do core[name] = call end end)
    for i, name in ipairs { "sqlite_bind", "sqlite_step", "sqlite_prepare" } do
      real[name] = core[name]
      core[name] = function() return nil, errors.new("FileError", "it is held") end
      for number = name == "sqlite_prepare" and i + 1 or 1, i + 1, i do -- a feed that is known, and one that is not
        local err = failure.raised("FileError", {}, file.write, file, report(T + 1, number))
        assert.equal(path .. ": it is held", err.message)
      end
      core[name] = real[name]
    end
    file:close()
    local next_report, close = sqlite.read(path)
    core.sqlite_step = function() return nil, errors.new("FileError", "it is held") end
    assert.equal(path .. ": it is held", failure.raised("FileError", {}, next_report).message)
    core.sqlite_step = real.sqlite_step
    close()
  end)

  it("goes on from its last second, of the same feeds", function()
    local function open(ids, from, resume) return sqlite.write(path, ids, { from = from, resume = resume }) end
    local file = open({ A, "b" }, T)
    assert.is_nil(file.last)
    file:write(report(T + 5))
    file:close()
    assert.same({ ("%d|%s b"):format(T, A) }, rows "SELECT first, feeds FROM history")
    for _, from in ipairs { T, T + 1 } do
      file = open({ A, "b" }, from, true)
      assert.equal(T + 5, file.last)
      file:close()
    end
    assert.same({ "1" }, rows "SELECT count(*) FROM history")
    local function refusal(...)
      local err = failure.raised("FileError", {}, open, ...)
      assert.equal(path, err.message:sub(1, #path))
      return err.message:sub(#path + 2)
    end
    assert.equal("is of other feeds", refusal({ A }, T, true))
    assert.equal(("begins at %d, which is later than --from, %d"):format(T, T - 1), refusal({ A, "b" }, T - 1, true))
    assert.equal("is there already: --resume goes on with it", refusal({ A, "b" }, T, false))
  end)

  it("is refused where it is one of something else, or none", function()
    local database = assert(core.sqlite_open(path, true))
    core.sqlite_step(assert(core.sqlite_prepare(database, "CREATE TABLE x (y)")))
    core.sqlite_close(database)
    for _, run in ipairs { sqlite.read, function(place) return sqlite.write(place, {}, { resume = true }) end } do
      local err = failure.raised("FileError", {}, run, path)
      assert.equal(path .. " is a database of something else", err.message)
    end
    project.write(path, ("no database, but long enough for the head of one"):rep(20))
    for _, run in ipairs { sqlite.read, function(place) return sqlite.write(place, {}, { resume = true }) end } do
      local err = failure.raised("FileError", {}, run, path)
      assert.matches("^" .. path:gsub("%p", "%%%0") .. ": .*file is not a database", err.message)
    end
  end)

  it("is read in the order of time, and what is no report is told, by its row", function()
    local file = sqlite.write(path, {}, {})
    for _, second in ipairs { 5, 3, 4 } do file:write(report(T + second, 2), "N" .. second) end
    file:write(report(T + 4, 1))
    file:close()
    local database = assert(core.sqlite_open(path, true))
    core.sqlite_step(assert(core.sqlite_prepare(database, ("UPDATE reports SET full_report = '0x12' WHERE "
      .. "observations_timestamp_ms = %d000"):format(T + 3))))
    core.sqlite_close(database)
    for _, complains in ipairs { true, false } do
      local told, seen = {}, {}
      local next_report, close = sqlite.read(path, complains and function(place, reason)
        told[#told + 1] = place .. ": " .. reason
      end or nil)
      for one, name in next_report do
        seen[#seen + 1] = ("%d %s %s"):format(one.observations_timestamp - T, one.feed_id:sub(-1), tostring(name))
      end
      close()
      assert.same({ "4 1 nil", "4 2 N5", "5 2 N5" }, { seen[1], (seen[2]:gsub("N%d", "N5")), seen[3] })
      assert.equal(3, #seen)
      assert.equal(complains and 1 or 0, #told)
      if complains then assert.matches("^" .. path:gsub("%p", "%%%0") .. ", row 2: DecodeError", told[1]) end
    end
  end)

  it("has reports of all schemas", function()
    local file, expected, seen = sqlite.write(path, {}, {}), {}, {}
    for _, vector in ipairs(vectors.made()) do
      local one = chainlink.decode(vector.fullReport)
      if one and one.resolution and chainlink.schemas[one.version] and not expected[one.full_report] then
        file:write(one)
        expected[one.full_report] = true
      end
    end
    file:close()
    local next_report, close = sqlite.read(path)
    for one in next_report do seen[one.full_report] = true end
    close()
    assert.same(expected, seen)
    assert.same({ "0" }, rows "SELECT count(*) FROM reports WHERE NOT json_valid(fields)")
    assert.is_true(#rows "SELECT DISTINCT version FROM reports" > 8)
  end)

  it("leaves nothing open", function()
    local left = open_files.left_by(function()
      for i = 1, 3 do
        local file = sqlite.write(path, {}, { resume = i > 1 })
        file:write(report(T + i))
        file:close()
        local next_report, close = sqlite.read(path)
        next_report()
        close()
        pcall(sqlite.write, path, {}, {})
      end
    end)
    assert.equal(0, left)
  end)
end)
