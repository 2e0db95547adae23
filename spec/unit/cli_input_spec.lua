-- SPDX-License-Identifier: MIT
-- What decode and verify are given: hex, this program's JSON, the service's, in arguments, files and standard input.

local cjson = require "cjson"
local chainlink = require "chainlink"
local project = require "spec.support.project"
local sample = require "spec.support.sample"

local v3, v8 = sample.v3, sample.v8

describe("full reports", function()
  local folder, remove
  setup(function() folder, remove = project.folder() end)
  teardown(function() remove() end)

  -- Runs decode; FILE stands for a file of this text, and the place before its complaints. -> output, errors, status
  local function run(arguments, text)
    project.write(folder .. "/reports", text or "")
    local command = ("%s bin/chainlink-streams %s 2>%s/errors"):format(project.lua,
      arguments:gsub("FILE", folder .. "/reports"), folder)
    local output, status = project.run(command)
    local plain_folder = folder:gsub("%p", "%%%0")
    return output, (project.read(folder .. "/errors"):gsub(plain_folder .. "/reports", "FILE")), status
  end

  -- The full reports that decode finds, as hex without 0x.
  local function found_in(arguments, text)
    local output, errors, status = run("decode --format json " .. arguments, text)
    local list = {}
    for line in output:gmatch "[^\n]+" do list[#list + 1] = cjson.decode(line).full_report end
    return list, errors, status
  end

  local function service(hex) return ('{"feedID":"0x00","validFromTimestamp":1,"fullReport":"%s"}'):format(hex) end

  local own = chainlink.decode(v3):to_json() .. "\n" .. chainlink.decode(v8):to_json() .. "\n"
  local forms = {
    ["lines of hex"] = v3 .. "\n\n  " .. v8:sub(3) .. "  \r\n",
    ["hex in capitals"] = "0X" .. v3:sub(3):upper() .. "\n" .. v8:sub(3):upper() .. "\n",
    ["this program's JSON"] = own,
    ["JSON with line ends of another system"] = own:gsub("\n", "\r\n"),
    ["the service's answers"] = ('{"report":%s}\n{"report":%s}\n'):format(service(v3), service(v8)),
    ["the service's answer of many"] = ('{"reports":[%s,%s]}'):format(service(v3), service(v8)),
    ["JSON of several lines"] = ('{\n  "reports": [\n    %s,\n    %s\n  ]\n}\n'):format(service(v3), service(v8)),
    ["an array"] = ('[\n  %s,\n  "%s"\n]'):format(service(v3), v8),
    ["JSON texts"] = ('"%s"\n"%s"\n'):format(v3, v8),
    ["a recording"] = ('{"format":"chainlink-streams-recording","version":1,"feeds":[]}\n%s\n%s\n%s\n'):format(
      service(v3), '{"event":"lost","feed":"0x00","from_ms":1,"to_ms":2,"time":3,"reason":"none"}', service(v8)),
    ["a mixture"] = v3 .. "\n" .. service(v8) .. "\n",
  }
  for what, text in pairs(forms) do
    it("are read from " .. what, function()
      for _, arguments in ipairs { "FILE", "< FILE", "- < FILE" } do
        local list, errors, status = found_in(arguments, text)
        assert.are.same({ v3, v8 }, list)
        assert.are.equal("", errors)
        assert.are.equal(0, status)
      end
    end)
  end

  it("are read from arguments of every kind, in order", function()
    local list, errors, status = found_in(("%s FILE '%s' - < FILE"):format(v3, service(v8)), v8 .. "\n")
    assert.are.same({ v3, v8, v8, v8 }, list)
    assert.are.equal("", errors)
    assert.are.equal(0, status)
  end)

  local faults = {
    ["0x12zz"] = "this is not hex: digit 3 is 'z'",
    ["hello"] = "this is not hex: digit 1 is 'h'",
    ["0x"] = "this is empty",
    ["0x123"] = "this is not hex: 3 digits, an odd number",
    ["0x1234"] = "DecodeError: ",
    ['{"full_report":"0x1g"}'] = "this is not hex: digit 2 is 'g'",
    ['{"full_report":5}'] = "there is no full report in this",
    ['{"report":{"a":1}}'] = "this has no member full_report, fullReport, report, reports",
    ["[]"] = "this has no member full_report, fullReport, report, reports",
    ["{}"] = "this has no member full_report, fullReport, report, reports",
    ["[1]"] = "there is no full report in this",
    ['{"full_report":}'] = "this is not JSON: ",
    ['"0x12'] = "this is not JSON: ",
    ['{"full_report":"0x12'] = "this is JSON that does not end",
    ["\27[2J"] = "this is not hex: digit 1 is '?'",
  }
  for line, reason in pairs(faults) do
    it("that are none are named with their place, and the rest is read: " .. line:gsub("%c", "?"), function()
      local list, errors, status = found_in("FILE", v3 .. "\n" .. line .. "\n" .. own .. v8 .. "\n")
      assert.are.same({ v3, v3, v8, v8 }, list)
      assert.are.equal(1, status)
      local place = "chainlink-streams: FILE, line 2: " .. reason
      assert.are.equal(place, errors:sub(1, #place))
      assert.are.equal(1, select(2, errors:gsub("\n", "")))
    end)
  end

  it("of which one of many is wrong are told as many times", function()
    local list, errors, status = found_in("FILE", ('{"reports":[%s,{},"0x1",%s]}'):format(service(v3), service(v8)))
    assert.are.same({ v3, v8 }, list)
    assert.are.equal("chainlink-streams: FILE, line 1: this is not hex: 1 digits, an odd number\n"
      .. "chainlink-streams: FILE, line 1: this has no member full_report, fullReport, report, reports\n", errors)
    assert.are.equal(1, status)
  end)

  it("are missed where JSON of several lines ends too early", function()
    local list, errors, status = found_in("- < FILE", v3 .. "\n{\n  \"report\": " .. service(v8) .. "\n")
    assert.are.same({ v3 }, list)
    assert.are.equal("chainlink-streams: standard input, line 2: this is JSON that does not end\n", errors)
    assert.are.equal(1, status)
    list, errors = found_in("FILE", "{\n" .. v3 .. "\n[\n" .. v8)
    assert.are.same({ v3, v8 }, list)
    assert.are.equal("chainlink-streams: FILE, line 1: this is JSON that does not end\n"
      .. "chainlink-streams: FILE, line 3: this is JSON that does not end\n", errors)
  end)

  it("in an argument are named by its number", function()
    local list, errors, status = found_in(("%s 0x1234 nothing/here '{}' %s"):format(v3, v8))
    assert.are.same({ v3, v8 }, list)
    assert.are.equal(1, status)
    assert.matches("^chainlink%-streams: argument 2: DecodeError: [^\n]+\n"
      .. "chainlink%-streams: argument 3: this is not hex: digit 1 is 'n', "
      .. "and this is no file: nothing/here: No such file or directory\n"
      .. "chainlink%-streams: argument 4: this has no member [^\n]+\n$", errors)
  end)

  it("are not in a folder", function()
    local list, errors, status = found_in(folder)
    assert.are.same({}, list)
    assert.are.equal(1, status)
    assert.matches("^chainlink%-streams: /[^\n]+: cannot read this: Is a directory\n$", errors)
  end)

  it("are missing", function()
    for _, text in ipairs { "", "\n \n" } do
      local _, errors, status = run("decode < FILE", text)
      assert.are.equal("chainlink-streams: a full report is missing\n", errors)
      assert.are.equal(2, status)
    end
  end)

  it("are shown as they are alone, in a table, or as CSV", function()
    local output = run("decode FILE", v8 .. "\n")
    assert.matches("^version +8\n", output)
    output = run("decode FILE", own)
    assert.matches("^observed [^\n]+\n[^\n]+ v3 [^\n]+\n[^\n]+ v8 [^\n]+\n$", output)
    output = run("decode --format csv FILE", own .. v3 .. "\n")
    assert.matches("^version,[^\n]+,fields\n3,[^\n]+\n8,[^\n]+\n3,[^\n]+\n$", output)
    output = run("decode FILE 0x12", "")
    assert.are.equal("", output)
  end)
end)
