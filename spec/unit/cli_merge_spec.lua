-- SPDX-License-Identifier: MIT
-- Several files of reports as one: which is read when, whose report it is, and that each is closed. Files are lists.

local chainlink = require "chainlink"
local files = require "chainlink.cli.files"
local merge = require "chainlink.cli.files.merge"
local recording = require "spec.support.recording"

local T = 1700000000

describe("files that are merged", function()
  local contents, open, opened, read
  before_each(function()
    contents, open, opened, read = {}, {}, {}, files.read
    files.read = function(path)
      local place = 0
      opened[#opened + 1] = path
      open[path] = (open[path] or 0) + 1
      return function()
        place = place + 1
        local entry = contents[path][place]
        if entry then return entry.report, entry.name end
      end, function() open[path] = open[path] - 1 end
    end
  end)
  after_each(function() files.read = read end)

  -- A list of seconds after T; {second, feed's number, name} where there is more to say.
  local function file(path, ...)
    contents[path] = {}
    for i, at in ipairs { ... } do
      local second, number, name = at, 1, nil
      if type(at) == "table" then second, number, name = at[1], at[2], at[3] end
      contents[path][i] = { report = assert(chainlink.decode(recording.report(3, number, T + second))), name = name }
    end
  end

  local function survey(...)
    local surveys = {}
    for i, path in ipairs { ... } do surveys[i] = merge.survey(path, {}) end
    opened = {}
    return surveys
  end

  local function text_of(entry)
    return ("%d/%d%s"):format(entry.report.observations_timestamp - T, tonumber(entry.id:sub(-4)), entry.name or "")
  end

  local function all(next_entry)
    local list = {}
    for entry in next_entry do list[#list + 1] = text_of(entry) end
    return table.concat(list, " ")
  end

  local function assert_closed()
    for path, count in pairs(open) do assert.equal(0, count, path) end
  end

  it("are looked through: how much there is, of which feeds, in which order", function()
    file("sorted", { 1, 1 }, { 1, 2, "B" }, { 2, 1, "A" }, { 3, 1, "later" })
    local found = merge.survey("sorted", {})
    assert.equal("1/1", text_of(found.first))
    found.first = nil
    assert.same({ path = "sorted", count = 4, is_sorted = true,
      feeds = { [recording.id(3, 1)] = true, [recording.id(3, 2)] = true },
      names = { [recording.id(3, 1)] = "A", [recording.id(3, 2)] = "B" } }, found)
    file("unsorted", 3, 1, 2)
    found = merge.survey("unsorted", {})
    assert.equal("1/1", text_of(found.first))
    assert.equal(3, found.count)
    assert.is_false(found.is_sorted)
    file("empty")
    assert.same({ path = "empty", count = 0, is_sorted = true, feeds = {}, names = {} }, merge.survey("empty", {}))
    assert_closed()
  end)

  it("are opened when their turn comes, in whatever order they are named", function()
    file("a", 1, 2, 3)
    file("b", 3, 5)
    file("c", 9)
    local orders = { { "a", "b", "c" }, { "a", "c", "b" }, { "b", "a", "c" }, { "b", "c", "a" }, { "c", "a", "b" },
      { "c", "b", "a" } }
    for _, names in ipairs(orders) do
      local next_entry, seen = merge.read(survey(names[1], names[2], names[3]), {}), {}
      for entry in next_entry do seen[#seen + 1] = text_of(entry) .. ":" .. table.concat(opened) end
      assert.equal("1/1:a 2/1:a 3/1:ab 5/1:ab 9/1:abc", table.concat(seen, " "))
      assert_closed()
    end
  end)

  it("may be empty, or have one report, or lose all meanwhile", function()
    file("empty")
    file("one", 5)
    file("two", 5, 6)
    assert.equal("5/1 6/1", all(merge.read(survey("empty", "one", "empty", "two"), {})))
    assert.equal("5/1", all(merge.read(survey("one"), {})))
    assert.equal("", all(merge.read(survey "empty", {})))
    local surveys = survey("one", "two")
    file("one")
    assert.equal("5/1 6/1", all(merge.read(surveys, {})))
    assert_closed()
  end)

  it("give each report once, as the file that was named first has it", function()
    file("early", 1, { 5, 1, " early" })
    file("late", { 5, 1, " late" }, 6)
    assert.equal("1/1 5/1 early 6/1", all(merge.read(survey("early", "late"), {})))
    assert.equal("1/1 5/1 late 6/1", all(merge.read(survey("late", "early"), {})))
    assert.equal("1/1 5/1 late 6/1", all(merge.read(survey("late", "early", "late", "early"), {})))
    assert_closed()
  end)

  it("are in order by time, then by feed, whichever is named first", function()
    file("a", { 1, 2 }, { 2, 2 }, { 3, 2 })
    file("b", { 1, 1 }, { 2, 1 }, { 4, 1 })
    file("c", { 1, 3 }, { 2, 3 }, { 3, 3 })
    local expected = "1/1 1/2 1/3 2/1 2/2 2/3 3/2 3/3 4/1"
    assert.equal(expected, all(merge.read(survey("a", "b", "c"), {})))
    assert.equal(expected, all(merge.read(survey("c", "b", "a"), {})))
    assert.equal(expected, all(merge.read(survey("b", "c", "a"), {})))
  end)

  it("have each but a window of reports in their places", function()
    assert.equal(16384, merge.window) -- docs/history.md says so
    local window = merge.window
    finally(function() merge.window = window end)
    merge.window = 4
    file("x", 4, 3, 2, 1, 8, 7, 6, 5)
    assert.equal("1/1 2/1 3/1 4/1 5/1 6/1 7/1 8/1", all(merge.read(survey "x", {})))
    assert_closed()
    file("x", 5, 4, 3, 2, 1)
    local good, err = pcall(all, merge.read(survey "x", {}))
    assert.is_false(good)
    assert.equal("x is out of order by 4 reports or more: convert it into .sqlite first, which takes any order", err)
  end)

  it("sort every order of a few", function()
    local window = merge.window
    finally(function() merge.window = window end)
    merge.window = 5
    local function permute(list, count, try)
      if count == 1 then return try(list) end
      for i = 1, count do
        list[i], list[count] = list[count], list[i]
        permute(list, count - 1, try)
        list[i], list[count] = list[count], list[i]
      end
    end
    permute({ 1, 2, 3, 4, 5 }, 5, function(list)
      file("x", list[1], list[2], list[3], list[4], list[5])
      assert.equal("1/1 2/1 3/1 4/1 5/1", all(merge.read(survey "x", {})))
    end)
  end)

  it("come one behind the other where their order is of no matter", function()
    file("a", 2, 1)
    file("empty")
    file("b", { 1, 2, " B" }, 9)
    assert.equal("2/1 1/1 1/2 B 9/1", all(merge.concatenate({ "a", "empty", "b" }, {})))
    assert.equal("aemptyb", table.concat(opened))
    assert.equal("1/2 B", all(merge.concatenate({ "a", "b" }, { feeds = { [recording.id(3, 2)] = true } })))
    assert.equal("", all(merge.concatenate({}, {})))
    assert_closed()
  end)

  it("are of a time and some feeds, both ends with them", function()
    file("a", { 1, 1 }, { 2, 1 }, { 2, 2 }, { 3, 1 }, { 3, 2 }, { 4, 2 })
    local function only(filter) return all(merge.concatenate({ "a" }, filter)) end
    assert.equal("2/1 2/2 3/1 3/2", only { from = T + 2, to = T + 3 })
    assert.equal("2/2 3/2", only { from = T + 2, to = T + 3, feeds = { [recording.id(3, 2)] = true } })
    assert.equal("3/1 3/2 4/2", only { from = T + 3 })
    assert.equal("1/1", only { to = T + 1 })
  end)

  it("tell what cannot be read where it is asked for", function()
    local told
    files.read = function(_, complain)
      told = complain
      return function() return nil end, function() end
    end
    merge.survey("x", {}, "complain")
    assert.equal("complain", told)
    all(merge.concatenate({ "x" }, {}, "too"))
    assert.equal("too", told)
  end)
end)
