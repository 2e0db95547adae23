-- SPDX-License-Identifier: MIT
-- Every command and option of the table is in the help, the manual, the completions and the documentation; the manual
-- passes mandoc's checks, and the completions work in the shells they are for.

local host = require "spec.support.host"
local of_commands = require "chainlink.cli.table"
local project = require "spec.support.project"
local tmux = require "spec.support.tmux"

local function escaped(name) return (name:gsub("%-", "%%-")) end

describe("of the table of commands", function()
  local folder, remove

  setup(function()
    folder, remove = project.folder()
    local output, status = project.run(("%s scripts/manual %s"):format(project.lua, folder))
    assert.equal(0, status, output)
  end)
  teardown(function() remove() end)

  local function read(name) return project.read(folder .. "/" .. name) end

  -- Calls check(name, option) for each option of each command.
  local function each_option(check)
    local count = 0
    for _, name in ipairs(of_commands.names()) do
      for _, row in ipairs(of_commands.options(of_commands.find(name))) do
        count = count + 1
        check(name, row)
      end
    end
    assert.is_true(count > 60, "only " .. count)
  end

  it("each command and option is in the help", function()
    local function help(words) return (project.run(project.lua .. " bin/chainlink-streams " .. words .. " --help")) end
    local general, of_command = help "", {}
    for _, name in ipairs(of_commands.names()) do
      assert.truthy(general:find("\n  " .. name .. " +%l"), name)
      of_command[name] = help(name)
    end
    each_option(function(name, row)
      local words = "\n  %-%-" .. escaped(row.name) .. "%f[^%w-]"
      assert.truthy(of_command[name]:find(words), name .. " --" .. row.name)
      assert.truthy(of_command[name]:find(row.help, 1, true), name .. " --" .. row.name)
    end)
  end)

  it("each is in the manual", function()
    for _, name in ipairs(of_commands.names()) do
      assert.truthy(read "chainlink-streams.1":find("\n.It Xr chainlink-streams-" .. name .. " 1\n", 1, true), name)
    end
    each_option(function(name, row)
      local page = read("chainlink-streams-" .. name .. ".1")
      assert.truthy(page:find("\n%.It Fl %-" .. escaped(row.name) .. "%f[^%w-]"), name .. " --" .. row.name)
    end)
  end)

  it("the variables of the documentation are in the manual", function()
    local page, count = read "chainlink-streams.1", 0
    for name in project.read "docs/command-line.md":gmatch "CHAINLINK_STREAMS_%u[%u_]+" do
      count = count + 1
      assert.truthy(page:find(name .. "%f[^%u_]"), name)
    end
    assert.is_true(count > 3, "only " .. count)
  end)

  it("each is in the completions", function()
    local bash, zsh, fish = read "chainlink-streams.bash", read "_chainlink-streams", read "chainlink-streams.fish"
    for _, name in ipairs(of_commands.names()) do
      assert.truthy(bash:find("\n    " .. name .. ")\n", 1, true), name)
      assert.truthy(zsh:find("\n    " .. name .. ") _arguments", 1, true), name)
      assert.truthy(fish:find("__chainlink_streams_first' -a " .. name .. " ", 1, true), name)
    end
    each_option(function(name, row)
      local place = name .. " --" .. row.name
      local of_bash = bash:match("\n    " .. name .. "%)\n      options='([^']*)'")
      assert.truthy((" " .. of_bash .. " "):find(" --" .. row.name .. " ", 1, true), place)
      local of_zsh = zsh:match("\n    " .. name .. "%) (_arguments.-);;")
      assert.truthy(of_zsh:find("%-%-" .. escaped(row.name) .. "=?%["), place)
      assert.truthy(fish:find(("__chainlink_streams_is %s' -l %s "):format(name, row.name), 1, true), place)
    end)
  end)

  it("each is in the documentation", function()
    local page, simulator = project.read "docs/command-line.md", project.read "docs/simulator.md"
    for _, name in ipairs(of_commands.names()) do assert.truthy(page:find("\n| `" .. name .. "%f[^%w]"), name) end
    each_option(function(name, row)
      local text = name == "simulate" and simulator or page
      local words = "%-%-" .. escaped(row.name) .. "%f[^%w-]"
      assert.truthy(row.name == "help" or text:find(words), name .. " --" .. row.name)
    end)
  end)

  it("the manual has nothing that mandoc complains about", function()
    if not host.has_command "mandoc" then pending "mandoc is not here" end
    local complaints = project.run(("mandoc -T lint %s/*.1"):format(folder))
    -- It looks for other pages among the system's alone; ours are here.
    complaints = complaints:gsub("[^\n]* referenced manual not found: Xr (chainlink%-streams%S*) 1\n", function(name)
      return #read(name .. ".1") > 0 and "" or nil
    end)
    assert.equal("", complaints)
    local text = project.run(("mandoc -T ascii -O width=200 %s/chainlink-streams-stream.1"):format(folder))
    text = text:gsub(".\8", "") -- struck over, to be bold or underlined
    assert.matches("chainlink%-streams stream FEED... %[%-%-seconds N%]", text)
    assert.matches("\n +%-%-output FILE, %-o FILE\n", text)
  end)

  it("what a command says of itself is what is installed", function()
    local of_shell = { bash = "chainlink-streams.bash", zsh = "_chainlink-streams", fish = "chainlink-streams.fish" }
    for shell, name in pairs(of_shell) do
      local output, status = project.run(("%s bin/chainlink-streams completion %s"):format(project.lua, shell))
      assert.equal(0, status)
      assert.equal(read(name), output)
    end
    local output, status = project.run(project.lua .. " bin/chainlink-streams completion csh")
    assert.equal(2, status)
    assert.matches("completion takes the name of a shell: bash, zsh or fish", output)
  end)

  -- ---- the shells ----

  -- What a shell is to offer for the words, the last of which is begun: all of these, and none of those.
  local cases = {
    { { "lat" }, { "latest" }, { "history" } },
    { { "" }, { "feeds", "simulate", "completion" }, { "json" } },
    { { "latest", "--form" }, { "--format" }, { "--schemas" } },
    { { "latest", "--" }, { "--format", "--output", "--network", "--help" }, { "--seed", "--seconds" } },
    { { "latest", "--format", "" }, { "table", "json", "csv" }, { "--format", "latest" } },
    { { "stream", "--order", "a" }, { "arrival" }, { "feed" } },
    { { "completion", "" }, { "bash", "zsh", "fish" }, { "latest" } },
    { { "decode", "FOLDER/chainlink-streams-f" }, { "chainlink-streams-feeds.1" }, { "chainlink-streams-at.1" } },
    { { "simulate", "--certificate", "self" }, { "self_signed" }, { "good" } },
    { { "latest", "-o", "FOLDER/_chain" }, { "_chainlink-streams" }, {} },
  }

  local function try(offered)
    for _, case in ipairs(cases) do
      local words = {}
      for i, word in ipairs(case[1]) do words[i] = word:gsub("FOLDER", folder) end
      local text = " " .. offered(words):gsub("%s+", " ") .. " "
      local place = table.concat(words, " ") .. " ->" .. text
      for _, word in ipairs(case[2]) do
        assert.truthy(text:find("[ /]" .. escaped(word):gsub("%.", "%%.") .. " "), place)
      end
      for _, word in ipairs(case[3]) do assert.is_nil(text:find(" " .. word .. " ", 1, true), place) end
    end
  end

  local function quoted(words)
    local list = {}
    for i, word in ipairs(words) do list[i] = "'" .. word .. "'" end
    return table.concat(list, " ")
  end

  it("bash completes", function()
    if not host.has_command "bash" then pending "bash is not here" end
    local function offered(words)
      project.write(folder .. "/try", ([[
        . %s/chainlink-streams.bash
        COMP_WORDS=(chainlink-streams %s) COMP_CWORD=%d
        _chainlink_streams
        echo "${COMPREPLY[@]}"]]):format(folder, quoted(words), #words))
      local output, status = project.run(("bash --norc %s/try"):format(folder))
      assert.equal(0, status, output)
      return output
    end
    try(offered)
    assert.equal("json\n", offered { "latest", "--format", "=", "js" })
    assert.equal("table json csv\n", offered { "latest", "--format", "=" })
    assert.equal("\n", offered { "feeds", "--asset", "" })
    assert.equal("\n", offered { "nothing", "" })
  end)

  it("fish completes", function()
    if not host.has_command "fish" then pending "fish is not here" end
    try(function(words)
      project.write(folder .. "/try", ('source %s/chainlink-streams.fish\ncomplete -C "chainlink-streams %s"\n')
        :format(folder, table.concat(words, " ")))
      local output, status = project.run(("HOME=%s XDG_CONFIG_HOME=%s fish --no-config %s/try"):format(folder, folder,
        folder))
      assert.equal(0, status, output)
      return (output:gsub("\t[^\n]*", ""))
    end)
  end)

  it("zsh completes", function()
    if not (host.has_command "zsh" and host.has_command "tmux") then pending "zsh or tmux is not here" end
    local terminal = tmux.start(100, 60, "env HOME=" .. folder .. " zsh -f")
    finally(function() terminal:stop() end)
    terminal:type(("PS1='%%%%> '; fpath=(%s $fpath); autoload -Uz compinit; compinit -u -d %s/dump; LISTMAX=1000; "
      .. "clear"):format(folder, folder))
    terminal:keys "Enter"
    terminal:shows "^%%> *\n"
    try(function(words)
      terminal:type("chainlink-streams " .. table.concat(words, " "))
      terminal:keys "C-d" -- lists what there is, and completes nothing
      terminal:type "X" -- is on the screen when that is done
      local screen = terminal:shows "^%%> [^\n]*X *\n"
      terminal:keys("C-u", "C-l")
      terminal:shows "^%%> *\n"
      return (screen:gsub("^[^\n]*\n", ""))
    end)
  end)
end)
