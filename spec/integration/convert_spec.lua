-- SPDX-License-Identifier: MIT
-- chainlink-streams convert: between the kinds of files, merged and filtered.

local chainlink = require "chainlink"
local project = require "spec.support.project"
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"
local simulator = require "spec.support.simulator"

local FROM = 1735689600

describe("chainlink-streams convert", function()
  local sim, exports, folder, remove
  local kinds = { "csv", "jsonl" }
  if require "chainlink.core".sqlite_open(":memory:", true) then kinds[3] = "sqlite" end

  local function run(words)
    return project.run(("%s timeout 90 chainlink-streams %s"):format(exports, (words:gsub("FOLDER", folder))))
  end

  local function good(words)
    local output, status = run(words)
    assert.are.equal(0, status, output)
    return output
  end

  local function read(file) return project.read(folder .. "/" .. file) end
  local function write(file, text) project.write(folder .. "/" .. file, text) end

  local function history(file, from, seconds, feeds)
    good(("history %s --from %d --to %d --quiet --out FOLDER/%s"):format(feeds or '"$A" "$B" "$C"',
      FROM + from, FROM + from + seconds - 1, file))
  end

  -- The lines behind the head.
  local function lines_of(file) return (read(file):gsub("^[^\n]*\n", "")) end

  setup(function()
    sim = simulator.start { feeds = 6, ms_feeds = 1, fast = "2:10", rate_limit = 0, oracles = 1, signers = 1 }
    exports = sim:exports()
    local client, names = sim:client(), {}
    for i, feed in ipairs(assert(client:get_feeds())) do names[i] = feed.name end
    client:close()
    exports = ("export %s; A='%s' B='%s' C='%s';"):format(exports, names[1], names[2], names[3])
    folder, remove = project.folder()
  end)

  after_each(function() project.run("rm -f " .. folder .. "/*") end)

  teardown(function()
    remove()
    sim:stop()
  end)

  for _, first in ipairs(kinds) do
    for _, second in ipairs(kinds) do
      it(("from %s to %s and back is what it was"):format(first, second), function()
        history("a." .. first, 0, 10)
        good(("convert FOLDER/a.%s -o FOLDER/b.%s --quiet"):format(first, second))
        good(("convert FOLDER/b.%s -o FOLDER/c.csv --quiet"):format(second))
        history("d.csv", 0, 10)
        local expected = read "d.csv"
        -- a recording has no names
        if first == "jsonl" or second == "jsonl" then
          expected = expected:gsub("\n(%d+,0x%x+),[^,\n]+,", "\n%1,,")
        end
        assert.is_true(expected == read "c.csv")
      end)
    end
  end

  it("merges what overlaps, and has each report once", function()
    history("a.csv", 0, 20)
    history("b.jsonl", 10, 30)
    history("c." .. kinds[#kinds], 35, 15)
    good(("convert FOLDER/c.%s FOLDER/b.jsonl FOLDER/a.csv FOLDER/b.jsonl -o FOLDER/d.jsonl"):format(kinds[#kinds]))
    history("e.jsonl", 0, 50)
    assert.is_true(lines_of "e.jsonl" == lines_of "d.jsonl")
  end)

  it("takes some feeds and a time", function()
    history("a.jsonl", 0, 30)
    local id = read "a.jsonl":match '"feeds":%["(0x%x+)"'
    good(("convert FOLDER/a.jsonl -o FOLDER/b.jsonl --feeds %s --from %d --to %d"):format(id:upper():gsub("^0X", "0x"),
      FROM + 5, FROM + 9))
    history("c.jsonl", 5, 5, id)
    assert.is_true(lines_of "c.jsonl" == lines_of "b.jsonl")
  end)

  it("tells what the file covers and where not, and is quiet if it is to be", function()
    history("a.csv", 0, 10)
    history("b.csv", 15, 10)
    local output = good "convert FOLDER/a.csv FOLDER/b.csv -o FOLDER/c.csv"
    assert.matches("# [%w/-]+: 20 reports, 80 %% covered, 1 hole: 2025%-01%-01T00:00:10Z to 2025%-01%-01T00:00:14Z "
      .. "%(5 s%)\n", output)
    assert.are.equal(3, select(2, output:gsub("\n", "")))
  end)

  it("reads what a stream has recorded, compressed too, and keeps how it came", function()
    good "stream \"$A\" \"$B\" --count 60 --quiet --record FOLDER/a.jsonl >/dev/null"
    project.run("gzip -k " .. folder .. "/a.jsonl")
    good "convert FOLDER/a.jsonl -o FOLDER/b.jsonl --quiet"
    local _, zipped = run "convert FOLDER/a.jsonl.gz -o FOLDER/c.jsonl --quiet"
    local arrived = {}
    for line in lines_of "a.jsonl":gmatch "[^\n]+" do arrived[line] = true end
    local count = 0
    for line in lines_of "b.jsonl":gmatch "[^\n]+" do
      count = count + 1
      assert.is_true(arrived[line])
    end
    assert.are.equal(60, count)
    if zipped == 0 then assert.is_true(read "b.jsonl" == read "c.jsonl") end
    local ordered, before = 0, 0
    for report in assert(chainlink.replay(folder .. "/b.jsonl", { speed = "max" })) do
      assert.is_true(report.observations_timestamp_ms >= before and report.received_at ~= nil)
      ordered, before = ordered + 1, report.observations_timestamp_ms
    end
    assert.are.equal(60, ordered)
  end)

  it("puts what is out of order in order", function()
    history("a.csv", 0, 20)
    project.run(("(head -n 1 %s/a.csv; tail -n +2 %s/a.csv | tac) >%s/b.csv"):format(folder, folder, folder))
    for _, kind in ipairs(kinds) do
      good(("convert FOLDER/b.csv -o FOLDER/c.%s --quiet"):format(kind))
      good(("convert FOLDER/c.%s -o FOLDER/%s.csv --quiet"):format(kind, kind))
      if kind ~= "jsonl" then assert.is_true(read "a.csv" == read(kind .. ".csv")) end
    end
  end)

  it("names what cannot be read, keeps the rest, and answers 1", function()
    history("a.csv", 0, 5)
    local text = read "a.csv"
    write("b.csv", text .. "rubbish\n")
    local output, status = run "convert FOLDER/b.csv -o FOLDER/c.csv --quiet"
    assert.are.equal(1, status)
    assert.matches("b%.csv, line %d+: DecodeError", output)
    assert.is_true(text == read "c.csv")
    history("a.jsonl", 0, 5)
    write("b.jsonl", read "a.jsonl" .. "rubbish\n")
    output, status = run "convert FOLDER/b.jsonl -o FOLDER/c.jsonl --quiet"
    assert.are.equal(1, status)
    assert.matches("b%.jsonl, line %d+", output)
    assert.is_true(lines_of "a.jsonl" == lines_of "c.jsonl")
  end)

  it("leaves nothing half done under the name that was asked for", function()
    history("a.csv", 0, 5)
    write("b.csv.part", "of a conversion that was broken off")
    good "convert FOLDER/a.csv -o FOLDER/b.csv --quiet"
    assert.is_true(read "a.csv" == read "b.csv")
    assert.are.equal("a.csv\nb.csv\n", (project.run("ls " .. folder)))
  end)

  it("refuses what it cannot do", function()
    local function fails(code, text, words)
      local output, status = run("convert " .. words)
      assert.are.equal(code, status, output)
      assert.truthy(output:find(text, 1, true), output)
    end
    history("a.csv", 0, 5)
    fails(2, "needs a file to read", "-o FOLDER/b.csv")
    fails(2, "needs --output", "FOLDER/a.csv")
    fails(2, "must end in .csv", "FOLDER/a.csv -o FOLDER/b")
    fails(2, "'0x12' is no feed id", "FOLDER/a.csv -o FOLDER/b.csv --feeds 0x12")
    fails(1, "a.csv is there already", "FOLDER/a.csv -o FOLDER/a.csv")
    fails(1, "cannot open", "FOLDER/nowhere -o FOLDER/b.csv")
    write("c.csv", "version,full_report\n99," .. sample.v99 .. "\n")
    fails(1, "--schemas FILE adds schemas", "FOLDER/c.csv -o FOLDER/b.csv")
    write("d.jsonl", '{"format":"chainlink-streams-recording","version":1,"feeds":[]}\n'
      .. ('{"feedID":"%s","fullReport":"%s"}\n'):format(recording.id(3, 1), recording.report(3, 1, FROM)))
    fails(0, "1 reports, 100 % covered", "FOLDER/d.jsonl -o FOLDER/d.csv")
    fails(0, "no report fits", "FOLDER/d.jsonl -o FOLDER/e.csv --from now")
  end)
end)
