-- SPDX-License-Identifier: MIT
-- Which kind a file of reports is, by its name and by what it begins with; and CSV and files of a day each, at their
-- bounds.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local csv = require "chainlink.cli.files.csv"
local files = require "chainlink.cli.files"
local open_files = require "spec.support.open_files"
local options = require "chainlink.cli.options"
local own_folder = require "spec.support.own_folder"
local project = require "spec.support.project"
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local split = require "chainlink.cli.files.split"
local stopped_clock = require "spec.support.stopped_clock"

local T = 1700000000
local A = recording.id(3, 1)

local function report(second) return assert(chainlink.decode(recording.report(3, 1, second))) end

local function refusal(...)
  local good, err = pcall(...)
  assert.is_false(good)
  return err
end

describe("files of reports", function()
  local folder, path
  own_folder(function(...) folder, path = ... end)

  it("are told from addresses by their names", function()
    for _, name in ipairs { "a.csv", "a.jsonl", "a.sqlite", "a.sqlite3", "a.db", "x.y/a.csv", "a.gz", "a.csv.gz",
      "a.zst", "a.jsonl.zst" } do
      assert.is_true(files.is_named(name), name)
    end
    for _, name in ipairs { "", "a", "csv", "a.txt", "a.csv/b", "agz", "azst", "a.gz.txt", "a.zst.txt" } do
      assert.is_false(files.is_named(name), name)
    end
  end)

  it("whose names tell no kind are refused in words", function()
    local packed = "'%s': files are not compressed here; gzip or zstd does it afterwards"
    local other = "'%s': its name must end in .csv, .jsonl or .sqlite, or --format be csv, jsonl or sqlite"
    for name, words in pairs { ["a.csv.gz"] = packed, ["a.csv.zst"] = packed, ["a.txt"] = other, a = other } do
      for _, asked in ipairs { false, name:find "z" and "csv" or "xml" } do
        local err = refusal(files.kind, name, asked or nil)
        assert.is_true(options.is_usage_error(err))
        assert.equal(words:format(name), err.message)
      end
    end
    assert.equal("jsonl", files.kind("a.txt", "jsonl"))
  end)

  it("are of reports that have a schema, a time and its unit", function()
    local known = { feed_id = "f", resolution = "s", version = 3, observations_timestamp = T }
    files.check(known)
    for name, value in pairs { resolution = false, version = 99, observations_timestamp = false } do
      local other = setmetatable({ [name] = value }, { __index = known })
      local words = "a report of feed f has version %d, whose fields are not known: --schemas FILE adds schemas"
      assert.equal(words:format(other.version), refusal(files.check, other))
    end
    project.write(path, ("version,full_report\n99,%s\n"):format(sample.v99))
    local next_report, close = files.read(path)
    assert.matches("%-%-schemas FILE adds schemas$", refusal(next_report))
    close()
  end)

  describe("are told by what they begin with:", function()
    local loaded, asked
    local names = { "csv", "jsonl", "sqlite" }
    before_each(function()
      loaded = { files = files }
      package.loaded["chainlink.cli.files"] = nil
      for _, name in ipairs(names) do
        loaded[name] = package.loaded["chainlink.cli.files." .. name]
        package.loaded["chainlink.cli.files." .. name] = { read = function(...)
          asked = { name, ... }
          return function() return nil end, function() end
        end }
      end
    end)
    after_each(function()
      for _, name in ipairs(names) do package.loaded["chainlink.cli.files." .. name] = loaded[name] end
      package.loaded["chainlink.cli.files"] = loaded.files
    end)

    it("each kind, compressed too, and folders", function()
      local fresh = require "chainlink.cli.files"
      local starts = { ["{"] = "jsonl", ["{\n\"x\": 5}, and more"] = "jsonl", ["\31\139\8\0"] = "jsonl",
        ["\40\181\47\253\1"] = "jsonl", [""] = "jsonl", ["version,"] = "csv", ["version,feed_id,name"] = "csv",
        ["SQLite format 3\0\1\2"] = "sqlite", ["SQLite format 3"] = "sqlite" }
      for start, kind in pairs(starts) do
        project.write(path, start)
        fresh.read(path, "complain")
        assert.same({ kind, path, "complain" }, asked)
      end
      fresh.read(folder)
      assert.same({ "jsonl", folder }, asked)
      for _, start in ipairs { " {", "version", "SQLite format 2", "\31", "x", "\40\181\47" } do
        project.write(path, start)
        assert.equal(path .. " is neither a recording, nor CSV or a database of this program",
          refusal(fresh.read, path))
      end
    end)
  end)

  it("are closed when they are read and written", function()
    assert.equal(0, open_files.left_by(function()
      for _, kind in ipairs { "csv", "jsonl" } do
        for i = 1, 2 do
          local file = files.write(kind, path .. kind, { A }, { resume = i > 1, from = T })
          file:write(report(T))
          file:close()
          if kind == "csv" then -- what a replay has open it closes by and by
            local next_report, close = files.read(path .. kind)
            next_report()
            close()
          end
          pcall(files.write, kind, path .. kind, { A }, { from = T })
        end
      end
      local file = split.write("csv", path .. "x", { A }, { from = T, to = T + 172800 })
      for day = 0, 2 do file:write(report(T + 86400 * day)) end
      file:close()
      split.write("csv", path .. "x", { A }, { from = T, to = T + 172800, resume = true }):close()
    end))
  end)

  describe("of CSV", function()
    it("are told in words where they are others'", function()
      csv.write(path, { A }, {}):close()
      local other = { recording.id(8, 1) }
      assert.equal(path .. " has other columns: it is of feeds of other schemas, or no such file",
        refusal(csv.write, path, other, { resume = true }).message)
      csv.write(path, { A }, { resume = true }):close()
      project.write(path, "version,feed_id\n")
      assert.equal(path .. " has no column full_report: its reports are not in it", refusal(csv.read, path))
      project.write(path, "")
      assert.equal(path .. " has no column full_report: its reports are not in it", refusal(csv.read, path))
    end)

    it("are gone on with where their last second begins", function()
      local function write(from, to)
        local file = csv.write(path, { A }, { resume = true })
        for second = from, to do file:write(report(T + second), "A") end
        file:close()
        return file.last
      end
      write(1, 3)
      local whole = project.read(path)
      assert.equal(T + 3, write(3, 3))
      assert.equal(whole, project.read(path))
    end)

    it("are there when a second is whole, before the end", function()
      local clock = stopped_clock.at(1000)
      finally(clock.restore)
      local file = csv.write(path, { A }, {})
      file:write(report(T))
      assert.equal("", project.read(path))
      file:settle()
      assert.equal(2, select(2, project.read(path):gsub("\n", "")))
      file:close()
    end)

    it("have names or none, and tell what is no report by its line", function()
      project.write(path, ("version,name,full_report\n3,A,%s\n3,,%s\n3,B,0x\n3\n"):format(sample.v3, sample.v3))
      for _, complains in ipairs { true, false } do
        local told, seen = {}, {}
        local next_report, close = csv.read(path, complains and function(place, reason)
          assert.matches("^DecodeError: ", reason)
          told[#told + 1] = place
        end or nil)
        for one, name in next_report do seen[#seen + 1] = one.version .. tostring(name) end
        close()
        assert.same({ "3A", "3nil" }, seen)
        assert.same(complains and { path .. ", line 4", path .. ", line 5" } or {}, told)
      end
    end)

    it("tell what the system says of one that cannot be read to its end", function()
      local open = io.open
      finally(function() io.open = open end) -- luacheck: ignore 122
      local parts = { "version,full_report", "3," .. sample.v3 }
      io.open = function() -- luacheck: ignore 122
        return { read = function()
          if parts[1] then return table.remove(parts, 1) end
          return nil, "Input/output error", 5
        end }
      end
      local next_report = csv.read "x.csv"
      assert.equal(3, next_report().version)
      assert.equal("x.csv cannot be read: Input/output error", refusal(next_report))
    end)
  end)

  describe("of a day each", function()
    local DAY = 1700006400 -- 2023-11-15
    local function lines_of(name) return select(2, project.read(folder .. "/" .. name):gsub("\n", "")) end
    local function write(settings) return split.write("csv", path, { A }, settings) end

    it("have a name without an ending too, and are whole when the next one begins", function()
      local file = write { from = DAY - 10, to = DAY + 10 }
      file:settle()
      for _, second in ipairs { DAY - 2, DAY - 1 } do file:write(report(second)) end
      file:write(report(DAY))
      assert.equal(3, lines_of "file-2023-11-14")
      file:close()
      assert.equal(2, lines_of "file-2023-11-15")
      assert.equal("file-2023-11-14\nfile-2023-11-15\n", (project.run("ls " .. folder)))
    end)

    it("may have no report at all", function()
      local file = write { from = DAY, to = DAY + 10 }
      assert.is_nil(file.last)
      file:settle()
      file:close()
      assert.equal("", (project.run("ls " .. folder)))
    end)

    it("are there when a second is whole", function()
      local clock = stopped_clock.at(1000)
      finally(clock.restore)
      local file = write { from = DAY, to = DAY + 10 }
      file:write(report(DAY))
      file:settle()
      assert.equal(2, lines_of "file-2023-11-15")
      file:close()
    end)

    it("are gone on with from the last of them, or from its beginning where it has nothing", function()
      local file = write { from = DAY - 10, to = DAY + 10 }
      file:write(report(DAY - 1))
      file:close()
      file = write { from = DAY - 10, to = DAY + 10, resume = true }
      assert.equal(DAY - 1, file.last)
      file:write(report(DAY - 1))
      file:write(report(DAY + 5))
      file:close()
      assert.equal(2, lines_of "file-2023-11-14")
      project.write(folder .. "/file-2023-11-15", "")
      for _, from in ipairs { DAY - 10, DAY + 3 } do
        file = write { from = from, to = DAY + 10, resume = true }
        assert.equal(math.max(from, DAY), file.last)
        file:close()
        project.write(folder .. "/file-2023-11-15", "")
      end
    end)
  end)

  it("of SQLite are read only where there is one", function()
    if not core.sqlite_open(":memory:", true) then return pending "there is no libsqlite3" end
    local sqlite = require "chainlink.cli.files.sqlite"
    assert.matches("unable to open database file", tostring(refusal(sqlite.read, path)))
    assert.is_nil((io.open(path, "rb")))
  end)
end)
