-- SPDX-License-Identifier: MIT
-- The table of commands, and what is read in it.

local of_commands = require "chainlink.cli.table"
local project = require "spec.support.project"

local function joined(list) return list and table.concat(list, " ") end

describe("the table of commands", function()
  it("has for each what help, completion and manual are made of", function()
    assert.is_true(#of_commands.names() > 10)
    for _, name in ipairs(of_commands.names()) do
      local command = of_commands.find(name)
      assert.matches("^%l+$", name)
      assert.matches("^%l[^\n]*[^.\n]$", command.summary, name)
      assert.is_function(command.run, name)
      for _, usage in ipairs(of_commands.usages(command)) do assert.equal(name, usage:match "^%S+", usage) end
      local seen, letters = {}, {}
      for _, row in ipairs(of_commands.options(command)) do
        local place = name .. " --" .. row.name
        assert.matches("^%l[%l%d-]*$", row.name, place)
        assert.is_string(row.help, place)
        assert.is_nil(row.help:find "\n", place)
        assert.is_nil(seen[row.name], place)
        assert.is_nil(letters[row.short], place)
        seen[row.name], letters[row.short or ""] = true, row.short and true
        if row.choices or row.number or row.repeats then assert.is_string(row.value, place) end
      end
      assert.is_true(seen.help, name)
      assert.equal(not command.unformatted, seen.schemas or false, name)
      if seen.format then assert.is_true(seen.output, name) end
    end
    assert.is_nil(of_commands.find "nothing")
  end)

  it("bounds its numbers, and has defaults", function()
    local told = {}
    for _, name in ipairs { "stream", "top", "relay", "serve", "simulate" } do
      for _, row in ipairs(of_commands.find(name).options) do
        local range = row.low and ("%.16g to %.16g"):format(row.low, row.high) or row.number and "above 0"
        if range or row.default ~= nil then
          told[name .. " " .. row.name] = (row.number == "whole" and "whole " or "") .. (range or "") .. ", "
            .. tostring(row.default)
        end
      end
    end
    assert.same({
      ["stream seconds"] = "above 0, nil", ["stream count"] = "whole above 0, nil",
      ["stream rotate-bytes"] = "whole 1 to 9007199254740992, nil",
      ["stream rotate-seconds"] = "whole 1 to 31622400, nil",
      ["top interval"] = "0.1 to 3600, 1", ["top count"] = "whole above 0, nil",
      ["relay keep"] = "whole 60 to 31622400, 3600", ["serve listen"] = ", 127.0.0.1:8080",
      ["simulate host"] = ", 127.0.0.1", ["simulate port"] = "whole 0 to 65535, 0",
      ["simulate certificate"] = ", good", ["simulate origins"] = "whole 1 to 8, 2",
      ["simulate seed"] = "whole 0 to 9007199254740992, 1", ["simulate feeds"] = "whole 1 to 1000, nil",
      ["simulate rate"] = "whole 1 to 1000, 1", ["simulate ms-feeds"] = "whole 0 to 1000, 0",
      ["simulate irregular"] = "whole 0 to 1000, 0", ["simulate presign"] = "whole 0 to 3600, 0",
      ["simulate oracles"] = "whole 1 to 31, 4", ["simulate signers"] = "whole 1 to 31, 2",
      ["simulate rate-limit"] = "0 to 1000000, 10", ["simulate clock-offset"] = "-1000000000 to 1000000000, 0",
      ["simulate speed"] = "above 0, nil",
    }, told)
  end)

  it("tells the ways to use a command", function()
    local function usages(usage) return of_commands.usages { usage = usage } end
    assert.same({ "at TIME FEED..." }, usages "at TIME FEED...")
    assert.same({ "a HEX", "a < FILE   with --x or --y" }, usages "a HEX   or   a < FILE   with --x or --y")
  end)

  it("tells what its arguments are", function()
    local cases = { { "a" }, { "a FEED..." }, { "a [--asset BTC|x]" },
      { "a HEX|FILE...   or   a < FILE", files = true },
      { "a DIR|FILE... [--x N]", files = true }, { "a bash|zsh [--x a|b]", words = "bash zsh" },
      { "a [on|off] FILE", words = "on off", files = true }, { "a list   or   a add NAME", words = "list add" },
      { "a FEED [--output FILE]" }, { "a < FILE   with --x", files = true } }
    for _, case in ipairs(cases) do
      local arguments = of_commands.arguments { usage = case[1] }
      assert.equal(case.words, joined(arguments.words), case[1])
      assert.equal(case.files, arguments.files, case[1])
    end
  end)

  it("tells what an option's value is", function()
    assert.is_nil(of_commands.values { name = "x" })
    assert.same({}, of_commands.values { name = "x", value = "N" })
    assert.same({ files = true }, of_commands.values { name = "x", value = "DIR|FILE" })
    assert.same({ words = { "a", "b" } }, of_commands.values { name = "x", value = "FILE", choices = { "a", "b" } })
  end)

  it("lets an option of a command's own stand for the common one", function()
    local own = { name = "format", value = "X", help = "own" }
    local count = 0
    for _, row in ipairs(of_commands.options { options = { own } }) do
      if row.name == "format" then
        count = count + 1
        assert.equal(own, row)
      end
    end
    assert.equal(1, count)
  end)
end)

describe("the help of a command", function()
  local help = require "chainlink.cli.help"

  it("has each way to use it on a line of its own, and long options above their words", function()
    local long = { name = ("x"):rep(25), short = "x", value = "N", help = "long" }
    local command = { summary = "sum", usage = "a X   or   a < FILE", notes = "one\ntwo", unformatted = true,
      options = { { name = "y", value = "N", help = "short" }, long } }
    assert.equal("usage: chainlink-streams a X [options]\n       chainlink-streams a < FILE [options]\n"
      .. "       sum\n       one\n       two\n\n  --y N" .. (" "):rep(26) .. "short\n  --" .. long.name .. " N, -x N\n"
      .. (" "):rep(33) .. "long\n  --help" .. (" "):rep(25) .. "this text", table.concat(help.of(command), "\n"))
  end)
end)

describe("the command line", function()
  local function run(words) return project.run(project.lua .. " bin/chainlink-streams " .. words) end

  it("tells its version as JSON", function()
    for _, words in ipairs { "version --json", "--version --json" } do
      local output, status = run(words)
      assert.equal(0, status, output)
      local told = require "cjson".decode(output)
      assert.equal(require "chainlink"._VERSION, told.version)
      assert.equal("chainlink-streams", told.name)
      assert.matches("^Lua", told.lua)
      assert.same(require "chainlink.core".versions(), told.libraries)
    end
  end)

  it("takes a short option with its value, attached or not", function()
    local options = require "chainlink.cli.options"
    local rows = { { name = "output", short = "o", value = "FILE" }, { name = "all", short = "a" } }
    for _, arguments in ipairs { { "-o", "x", "-a" }, { "-ox", "-a" }, { "--output=x", "--all" } } do
      assert.same({ output = "x", all = true }, (options.parse(rows, arguments)))
    end
    table.insert(rows, { name = "out", alias = "output", value = "FILE" })
    assert.same({ output = "y" }, (options.parse(rows, { "-o", "x", "--out", "y" })))
    assert.is_false((pcall(options.parse, rows, { "-o" })))
    assert.is_false((pcall(options.parse, rows, { "-ab" })))
  end)
end)
