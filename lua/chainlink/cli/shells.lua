-- SPDX-License-Identifier: MIT
-- Completions for bash, zsh and fish, from the table of commands.

local of_commands = require "chainlink.cli.table"

local shells = {}

local PROGRAM = "chainlink-streams"
local first_options = { { name = "help", help = "list the commands" }, { name = "version", help = "tell the version" } }

-- For bash and zsh.
local function quote(value) return "'" .. value:gsub("'", "'\\''") .. "'" end

local function dashed(row) return row.short and { "--" .. row.name, "-" .. row.short } or { "--" .. row.name } end

-- Calls each(name, command) for all commands, in order; the texts that it answers, as one.
local function for_commands(each)
  local parts = {}
  for _, name in ipairs(of_commands.names()) do parts[#parts + 1] = each(name, of_commands.find(name)) end
  return table.concat(parts, "\n")
end

-- ---- bash ----

local function bash_values(command)
  local lines = {}
  for _, row in ipairs(of_commands.options(command)) do
    local values = of_commands.values(row)
    local does = values and (values.words and "words=" .. quote(table.concat(values.words, " "))
      or values.files and "files=yes" or "return")
    if does then
      lines[#lines + 1] = ("        %s) options= %s ;;"):format(table.concat(dashed(row), " | "), does)
    end
  end
  return lines
end

local function bash_command(name, command)
  local all = {}
  for _, row in ipairs(of_commands.options(command)) do
    for _, option in ipairs(dashed(row)) do all[#all + 1] = option end
  end
  local lines, arguments = bash_values(command), of_commands.arguments(command)
  table.insert(lines, 1, ("    %s)\n      options=%s\n      case $prev in"):format(name, quote(table.concat(all, " "))))
  if arguments.files then lines[#lines + 1] = "        *) files=yes ;;" end
  if arguments.words then
    lines[#lines + 1] = ('        %s) words=%s ;;'):format(name, quote(table.concat(arguments.words, " ")))
  end
  lines[#lines + 1] = "      esac ;;"
  return table.concat(lines, "\n")
end

local BASH = [==[
# Completion of @PROGRAM@ for bash, made from its table of commands.
_chainlink_streams() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options= words= files=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W @FIRST@ -- "$cur"))
    return
  fi
  # --option=value comes as three words.
  if [ "$cur" = = ]; then cur=
  elif [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  case ${COMP_WORDS[1]} in
@COMMANDS@
    *) return ;;
  esac
  case $cur in -*) words=$options files= ;; esac
  [ -n "$words$files" ] || words=$options
  if [ -n "$files" ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
  fi
  COMPREPLY+=($(compgen -W "$words" -- "$cur"))
}
complete -F _chainlink_streams @PROGRAM@]==]

local function fill(template, values)
  return (template:gsub("@(%u+)@", function(name) return name == "PROGRAM" and PROGRAM or values[name] end))
end

--- The script for bash, without a last line's end; the same of the others.
function shells.bash()
  return fill(BASH, {
    FIRST = quote(table.concat(of_commands.names(), " ") .. " --help --version"),
    COMMANDS = for_commands(bash_command),
  })
end

-- ---- zsh ----

local function zsh_text(value) return (value:gsub("[%[%]:\\]", "\\%0")) end

local function zsh_action(values)
  if values.words then return "(" .. table.concat(values.words, " ") .. ")" end
  return values.files and "_files" or " "
end

-- The specifications of one option for _arguments: one for each way to write it.
local function zsh_option(row)
  local values, ways, specs = of_commands.values(row), dashed(row), {}
  for i, way in ipairs(ways) do
    local others = row.repeats and "*" or #ways > 1 and "(" .. ways[3 - i] .. ")" or ""
    specs[i] = quote(("%s%s%s[%s]%s"):format(others, way, values and i == 1 and "=" or "", zsh_text(row.help),
      values and (":%s:%s"):format(zsh_text(row.value), zsh_action(values)) or ""))
  end
  return table.concat(specs, " ")
end

local function zsh_command(name, command)
  local lines = { "    " .. name .. ") _arguments -S" }
  for _, row in ipairs(of_commands.options(command)) do lines[#lines + 1] = "      " .. zsh_option(row) end
  local arguments = of_commands.arguments(command)
  if arguments.words then
    lines[#lines + 1] = "      " .. quote("1:what:(" .. table.concat(arguments.words, " ") .. ")")
  end
  lines[#lines + 1] = "      " .. quote(arguments.files and "*:FILE:_files" or "*:argument: ")
  return table.concat(lines, " \\\n") .. " ;;"
end

local ZSH = [==[
#compdef @PROGRAM@
# Completion of @PROGRAM@ for zsh, made from its table of commands.
_@PROGRAM@() {
  local -a commands
  commands=(
@LIST@
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
@COMMANDS@
  esac
}
if [ "${funcstack[1]}" = _@PROGRAM@ ]; then _@PROGRAM@ "$@"; else compdef _@PROGRAM@ @PROGRAM@; fi]==]

function shells.zsh()
  local function line(name, words) return "    " .. quote(name .. ":" .. words) end
  local list = { for_commands(function(name, command) return line(name, command.summary) end) }
  for _, row in ipairs(first_options) do list[#list + 1] = line("--" .. row.name, row.help) end
  return fill(ZSH, { LIST = table.concat(list, "\n"), COMMANDS = for_commands(zsh_command) })
end

-- ---- fish ----

local function fish_quote(value) return "'" .. value:gsub("[\\']", "\\%0") .. "'" end

local function fish_line(condition, words)
  return ("complete -c %s -n %s %s"):format(PROGRAM, fish_quote(condition), words)
end

local function fish_option(condition, row)
  local values = of_commands.values(row)
  local wants = not values and "" or values.words and " -x -a " .. fish_quote(table.concat(values.words, " "))
    or values.files and " -r -F" or " -x"
  return fish_line(condition, ("-l %s%s%s -d %s"):format(row.name, row.short and " -s " .. row.short or "", wants,
    fish_quote(row.help)))
end

local function fish_command(name, command)
  local lines, arguments = {}, of_commands.arguments(command)
  for _, row in ipairs(of_commands.options(command)) do
    lines[#lines + 1] = fish_option("__chainlink_streams_is " .. name, row)
  end
  if arguments.files then lines[#lines + 1] = fish_line("__chainlink_streams_is " .. name, "-F") end
  if arguments.words then
    lines[#lines + 1] = fish_line("__chainlink_streams_begins " .. name,
      "-a " .. fish_quote(table.concat(arguments.words, " ")))
  end
  return table.concat(lines, "\n")
end

local FISH = [==[
# Completion of @PROGRAM@ for fish, made from its table of commands.
function __chainlink_streams_first
    test (count (commandline -opc)) -eq 1
end
function __chainlink_streams_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test "$words[2]" = $argv[1]
end
function __chainlink_streams_begins
    __chainlink_streams_is $argv[1]; and test (count (commandline -opc)) -eq 2
end
complete -c @PROGRAM@ -f
@FIRST@
@COMMANDS@]==]

function shells.fish()
  local first = { for_commands(function(name, command)
    return fish_line("__chainlink_streams_first", ("-a %s -d %s"):format(name, fish_quote(command.summary)))
  end) }
  for _, row in ipairs(first_options) do first[#first + 1] = fish_option("__chainlink_streams_first", row) end
  return fill(FISH, { FIRST = table.concat(first, "\n"), COMMANDS = for_commands(fish_command) })
end

return shells
