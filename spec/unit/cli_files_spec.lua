-- SPDX-License-Identifier: MIT
-- Files of reports: lines that were cut, CSV read again, merging, databases.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local files = require "chainlink.cli.files"
local format = require "chainlink.cli.format"
local jsonl = require "chainlink.cli.files.jsonl"
local lines = require "chainlink.cli.files.lines"
local merge = require "chainlink.cli.files.merge"
local options = require "chainlink.cli.options"
local own_folder = require "spec.support.own_folder"
local process = require "spec.support.process"
local project = require "spec.support.project"
local raises = require("spec.support.refusal").raises
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local split = require "chainlink.cli.files.split"
local sqlite_rows = require "spec.support.sqlite_rows"

local T = 1700000000
local unpack = table.unpack or unpack -- luacheck: ignore

local function report(second, number, valid_from)
  return chainlink.decode(recording.report(3, number or 1, second, valid_from))
end

describe("files of reports", function()
  local folder, path
  own_folder(function(...) folder, path = ... end)

  describe("of lines", function()
    local function open(resume)
      return lines.open(path, {
        head = "head", resume = resume,
        accepts = function(line) return line == "head" or nil, "has another head" end,
        second_of = function(line) return tonumber(line:match "^(%d+) ") end,
      })
    end

    local function write(...)
      local file = open(true)
      for _, line in ipairs { ... } do file:write(line) end
      file:close()
      return file.last
    end

    it("have a head, once", function()
      assert.is_nil(write "1 a")
      assert.are.equal(1, write "1 b")
      assert.are.equal("head\n1 b\n", project.read(path))
    end)

    it("lose the last second's, and what was cut, when they are gone on with", function()
      write("1 a", "2 a", "2 b")
      project.write(path, project.read(path) .. "3 ")
      assert.are.equal(2, write "9 z")
      assert.are.equal("head\n1 a\n9 z\n", project.read(path))
    end)

    it("are gone on with wherever they were cut", function()
      local whole = "head\n1 a\n2 a\n2 b\n10 a\n"
      for length = 0, #whole do
        project.write(path, whole:sub(1, length))
        local last = write "99 z"
        local expected = length < 13 and "head\n" or length < 22 and "head\n1 a\n"
          or "head\n1 a\n2 a\n2 b\n"
        assert.are.equal(expected .. "99 z\n", project.read(path))
        assert.are.equal(({ ["head\n1 a\n"] = 2, ["head\n1 a\n2 a\n2 b\n"] = 10 })[expected]
          or (length >= 9 and 1 or nil), last)
      end
    end)

    it("may be long, and many in one second", function()
      local long, all = ("x"):rep(70000), { "1 a" }
      for i = 1, 5 do all[i + 1] = "2 " .. i .. long end
      write(unpack(all))
      assert.are.equal(2, write "2 z")
      assert.are.equal("head\n1 a\n2 z\n", project.read(path))
      os.remove(path)
      write(unpack(all))
      local text = project.read(path)
      project.write(path, text .. "3 " .. long)
      assert.are.equal(2, write "2 z")
      assert.are.equal("head\n1 a\n2 z\n", project.read(path))
    end)

    it("stay as they are until there is more for them", function()
      write("1 a", "2 a")
      project.write(path, project.read(path) .. "3 ")
      assert.are.equal(2, write())
      assert.are.equal("head\n1 a\n2 a\n3 ", project.read(path))
    end)

    it("are refused where they are others', or cannot be read", function()
      project.write(path, "other\n1 a\n")
      raises("has another head", open, true)
      assert.are.equal("other\n1 a\n", project.read(path))
      project.write(path, "head\n1 a\nrubbish\n")
      raises("has a last line that cannot be read", open, true)
      project.write(path, "head\n")
      raises("is there already: --resume goes on with it", open, false)
      path = folder .. "/nowhere/file"
      raises("cannot be opened: ", open, false)
    end)

    it("are written by one at a time", function()
      local first = open(false)
      raises("is being written by another process", open, true)
      first:close()
      open(true):close()
    end)

    it("tell of a full disk", function()
      path = "/dev/full"
      local file = open(false)
      raises("/dev/full cannot be written: No space left on device", file.close, file)
    end)
  end)

  describe("of a day each", function()
    local day = 1700006400 -- 2023-11-15

    it("have the day in their names", function()
      local file = split.write("csv", path .. ".x.csv", { recording.id(3, 1) }, { from = day - 10, to = day + 10 })
      for _, second in ipairs { day - 1, day, day + 1 } do file:write(report(second)) end
      file:close()
      assert.are.equal("file.x-2023-11-14.csv\nfile.x-2023-11-15.csv\n", (project.run("ls " .. folder)))
      file = split.write("csv", path .. ".x.csv", { recording.id(3, 1) },
        { from = day - 10, to = day + 10, resume = true })
      assert.are.equal(day + 1, file.last)
      file:close()
      raises("2023-11-15.csv is there already", split.write, "csv", path .. ".x.csv", { recording.id(3, 1) },
        { from = day - 10, to = day + 10 })
    end)
  end)

  it("are known by their names, or what is asked for", function()
    local endings = { ["a.csv"] = "csv", ["b.c.jsonl"] = "jsonl", ["x.sqlite"] = "sqlite", ["x.db"] = "sqlite" }
    for name, kind in pairs(endings) do
      assert.are.equal(kind, files.kind(name))
    end
    assert.are.equal("csv", files.kind("x", "csv"))
    assert.are.equal("csv", files.kind("x.jsonl", "csv"))
    for name, asked in pairs { x = false, ["x.txt"] = false, ["x.csv"] = "json", ["x.jsonl.gz"] = "jsonl" } do
      assert.is_true(options.is_usage_error(raises(name, files.kind, name, asked or nil)))
    end
  end)

  it("have only reports whose schema is known", function()
    files.check(report(T))
    for _, text in ipairs { sample.v99, sample.us_v3 } do
      raises("--schemas FILE adds schemas", files.check, chainlink.decode(text))
    end
  end)

  it("of lines of JSON are as a recorder writes them", function()
    for i, text in ipairs { sample.v3, sample.v8, sample.ms_v3 } do
      local one = chainlink.decode(text)
      project.write(path, '{"format":"chainlink-streams-recording","version":1,"feeds":[]}\n' .. jsonl.line(one)
        .. "\n")
      local replay = assert(chainlink.replay(path, { speed = "max" }))
      assert(replay:record(path .. i .. ".jsonl"))
      assert.is_true(one == replay:read())
      replay:close()
      assert.are.equal(jsonl.line(one) .. "\n", project.read(path .. i .. ".jsonl"):match "\n(.*)$")
    end
  end)

  local kinds = { "csv", "jsonl" }
  if core.sqlite_open(":memory:", true) then kinds[3] = "sqlite" end

  local function write(kind, place, reports, name)
    local ids, seen = {}, {}
    for _, one in ipairs(reports) do
      if not seen[one.feed_id] then ids[#ids + 1] = one.feed_id end
      seen[one.feed_id] = true
    end
    table.sort(ids)
    local file = files.write(kind, place, ids, {})
    for _, one in ipairs(reports) do file:write(one, name) end
    file:close()
    return place
  end

  local function read(place)
    local got, names, next_report, close = {}, {}, files.read(place)
    for one, name in next_report do
      got[#got + 1] = one
      names[#names + 1] = name
    end
    close()
    return got, names
  end

  local function same(expected, got)
    assert.are.equal(#expected, #got)
    for i, one in ipairs(expected) do assert.are.equal(one.full_report, got[i].full_report) end
  end

  for _, kind in ipairs(kinds) do
    it("of kind " .. kind .. " give back what they were given", function()
      local reports = { chainlink.decode(sample.ms_v3), report(T, 1), report(T, 2), report(T + 1, 1, T - 5),
        chainlink.decode(sample.v8) }
      write(kind, path, reports, 'A "name", of sorts')
      local got, names = read(path)
      table.sort(reports, function(a, b)
        if a.observations_timestamp_ms ~= b.observations_timestamp_ms then
          return a.observations_timestamp_ms < b.observations_timestamp_ms
        end
        return a.feed_id < b.feed_id
      end)
      if kind ~= "sqlite" then table.sort(got, function(a, b)
        if a.observations_timestamp_ms ~= b.observations_timestamp_ms then
          return a.observations_timestamp_ms < b.observations_timestamp_ms
        end
        return a.feed_id < b.feed_id
      end) end
      same(reports, got)
      if kind ~= "jsonl" then assert.are.equal('A "name", of sorts', names[5]) end
    end)
  end

  it("of none of these kinds are refused", function()
    project.write(path, "rubbish\n")
    raises("neither a recording, nor CSV or a database", files.read, path)
    assert.equal("cannot open " .. folder .. "/nowhere: No such file or directory",
      raises("cannot open", files.read, folder .. "/nowhere"))
    project.write(path, "version,feed_id\n3,0x\n")
    raises("has no column full_report", files.read, path)
  end)

  it("tell what cannot be read, and give the rest", function()
    local told = {}
    local function complain(place, reason) told[#told + 1] = place .. ": " .. reason end
    local cells = ("version,full_report\n3,%s\n3,0x12\n3\n3,%s\n"):format(sample.v3, sample.v8)
    project.write(path, cells)
    local next_report, close = files.read(path, complain)
    assert.are.equal(3, next_report().version)
    assert.are.equal(8, next_report().version)
    assert.is_nil(next_report())
    close()
    assert.are.equal(2, #told)
    assert.matches("/file, line 3: DecodeError", told[1])
    assert.matches("/file, line 4: DecodeError", told[2])
  end)

  describe("merged", function()
    local count = 0

    local function file_of(...)
      count = count + 1
      return write("jsonl", path .. count, { ... })
    end

    local function merged(paths, filter)
      local surveys, out = {}, {}
      for i, place in ipairs(paths) do surveys[i] = merge.survey(place, filter or {}) end
      for entry in merge.read(surveys, filter or {}) do
        out[#out + 1] = ("%d/%d"):format(entry.report.observations_timestamp - T, tonumber(entry.id:sub(-4)))
      end
      return table.concat(out, " "), surveys
    end

    it("are in order, and have each report once", function()
      local a, b, c = file_of(report(T), report(T + 2), report(T + 4)),
        file_of(report(T, 2), report(T + 2), report(T + 3)), file_of(report(T + 9), report(T + 10))
      assert.are.equal("0/1 0/2 2/1 3/1 4/1 9/1 10/1", (merged { a, b, c }))
      assert.are.equal("0/1 0/2 2/1 3/1 4/1 9/1 10/1", (merged { c, b, a, c, a }))
      assert.are.equal("", (merged {}))
    end)

    it("are of some feeds and a time, where asked for", function()
      local a, b = file_of(report(T), report(T + 1), report(T + 2)), file_of(report(T, 2), report(T + 1, 2))
      assert.are.equal("1/1 1/2 2/1", (merged({ a, b }, { from = T + 1 })))
      assert.are.equal("0/1 0/2", (merged({ a, b }, { to = T })))
      assert.are.equal("0/2 1/2", (merged({ a, b }, { feeds = { [recording.id(3, 2)] = true } })))
    end)

    it("may be a little out of order, and no more", function()
      local window = merge.window
      finally(function() merge.window = window end)
      merge.window = 3
      local reports = { report(T + 2), report(T + 1), report(T), report(T + 4), report(T + 3) }
      local text, surveys = merged { file_of(unpack(reports)) }
      assert.are.equal("0/1 1/1 2/1 3/1 4/1", text)
      assert.is_false(surveys[1].is_sorted)
      reports[6] = report(T + 1, 2)
      raises("is out of order by 3 reports or more: convert it into .sqlite first", merged,
        { file_of(unpack(reports)) })
    end)

    it("are drawn at random, and come as they should", function()
      local window = merge.window
      finally(function() merge.window = window end)
      local seed = 1
      local function random(most)
        seed = seed * 16807 % 2147483647
        return seed % most + 1
      end
      for _ = 1, 20 do
        merge.window = 40
        local paths, all = {}, {}
        for i = 1, random(4) do
          local reports = {}
          for k = 1, random(40) do
            local second, number = random(20), random(3)
            reports[k] = report(T + second, number)
            all[("%02d/%d"):format(second, number)] = true
          end
          paths[i] = file_of(unpack(reports))
        end
        local expected = {}
        for key in pairs(all) do expected[#expected + 1] = key end
        table.sort(expected)
        for i, key in ipairs(expected) do expected[i] = key:gsub("^0", "") end
        assert.are.equal(table.concat(expected, " "), (merged(paths)))
      end
    end)
  end)

  describe("of SQLite", function()
    it("want its library", function()
      project.write(folder .. "/libsqlite3.so.0", "this is no library")
      local output, code = process.lua([[
        local database, err = require "chainlink.core".sqlite_open(":memory:", true)
        print(database, err.kind, err.message)]], ("export LD_LIBRARY_PATH='%s';"):format(folder))
      assert.are.equal(0, code, output)
      assert.matches("^nil%s+ConfigError%s+libsqlite3%.so%.0 cannot be loaded: ", output)
    end)

    if not kinds[3] then return pending "there is no libsqlite3" end

    local function rows(sql) return sqlite_rows(path, sql) end

    it("have a view for each schema, and each report once", function()
      local v3, v8 = chainlink.decode(sample.v3), chainlink.decode(sample.v8)
      write("sqlite", path, { v3, v8, v3, chainlink.decode(sample.ms_v3) })
      assert.are.same({ "3" }, rows "SELECT count(*) FROM reports")
      assert.are.same({ "1700000001000|3.5|-3.25|" .. v3:exact "ask" .. "|1700000000" },
        rows("SELECT observations_timestamp_ms, price, bid, ask, valid_from_timestamp FROM v3 WHERE feed_id = '"
          .. v3.feed_id .. "'"))
      assert.are.same({ "9223372036854775809|2|" .. v8.full_report },
        rows "SELECT last_update_timestamp, market_status, full_report FROM v8")
    end)

    it("are gone on with, those of the same feeds", function()
      local ids = { recording.id(3, 1) }
      local function open(of, settings) return files.write("sqlite", path, of, settings) end
      local file = open(ids, { from = T })
      file:write(report(T))
      file:write(report(T + 5))
      file:close()
      file = open(ids, { from = T, resume = true })
      assert.are.equal(T + 5, file.last)
      file:write(report(T + 5))
      file:write(report(T + 6))
      file:close()
      assert.are.same({ "0", "5", "6" }, rows(("SELECT observations_timestamp_ms / 1000 - %d FROM reports"):format(T)))
      raises("is there already", open, ids, { from = T })
      raises("is of other feeds", open, { recording.id(3, 2) }, { from = T, resume = true })
      raises("which is later than --from", open, ids, { from = T - 1, resume = true })
    end)

    it("are refused where they are others', or no databases", function()
      project.write(path, "rubbish, and more of it than a head of a database would take up")
      raises("file is not a database", files.write, "sqlite", path, {}, { resume = true })
      os.remove(path)
      local database = assert(core.sqlite_open(path, true))
      core.sqlite_step(assert(core.sqlite_prepare(database, "CREATE TABLE x (y)")))
      core.sqlite_close(database)
      raises("is a database of something else", files.write, "sqlite", path, {}, { resume = true })
      raises("unable to open database file", files.write, "sqlite", folder .. "/nowhere/x", {}, {})
    end)
  end)
end)

describe("a line of CSV", function()
  it("is read as it was written", function()
    for _, cells in ipairs { { "a", "b,c", 'd "e"', "", "5", '""', '"' }, { "" }, { "", "" }, { 'a"b' }, { "x", "" } }
    do
      assert.are.same(cells, format.csv_cells(format.csv_line(cells)))
    end
    assert.are.same({ "a", "b" }, format.csv_cells "a,b")
  end)

  it("that is damaged is read somehow", function()
    for _, line in ipairs { '"', '"a', '"a"b,c', ',,"', '""""' } do assert.is_table(format.csv_cells(line)) end
  end)
end)
