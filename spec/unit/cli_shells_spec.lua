-- SPDX-License-Identifier: MIT
-- The scripts that complete commands, of a small table of commands, to the letter.

local of_commands = require "chainlink.cli.table"
local shells = require "chainlink.cli.shells"

local run = { summary = "it's a run: now", usage = "run FILE... [--kind a|b]", unformatted = true, options = {
  { name = "kind", short = "k", value = "a|b", choices = { "a", "b" }, help = "one [of] two: it's so" },
  { name = "in", value = "DIR", help = "where from" },
  { name = "count", value = "N", help = "how many" },
  { name = "key", value = "KEY", repeats = true, help = "a key" },
  { name = "quiet", short = "q", help = "no words" },
} }
local stop = { summary = "an end", usage = "stop now|later", unformatted = true }

local function between(text, from, to)
  local _, start = assert(text:find(from, 1, true))
  local stop_at = assert(text:find(to, start + 1, true))
  return text:sub(start + 1, stop_at - 1)
end

describe("a script of completions", function()
  local names, find = of_commands.names, of_commands.find
  setup(function()
    of_commands.names = function() return { "run", "stop" } end
    of_commands.find = function(name) return ({ run = run, stop = stop })[name] end
  end)
  teardown(function() of_commands.names, of_commands.find = names, find end)

  it("is one for bash", function()
    local text = shells.bash()
    assert.truthy(text:find("COMPREPLY=($(compgen -W 'run stop --help --version' -- \"$cur\"))", 1, true))
    assert.equal([[

    run)
      options='--kind -k --in --count --key --quiet -q --help'
      case $prev in
        --kind | -k) options= words='a b' ;;
        --in) options= files=yes ;;
        --count) options= return ;;
        --key) options= return ;;
        *) files=yes ;;
      esac ;;
    stop)
      options='--help'
      case $prev in
        stop) words='now later' ;;
      esac ;;
]], between(text, "case ${COMP_WORDS[1]} in", "    *) return ;;"))
    assert.equal("complete -F _chainlink_streams chainlink-streams", text:match "[^\n]*$")
    assert.equal("# Completion of chainlink-streams for bash, made from its table of commands.", text:match "^[^\n]*")
    assert.is_nil(text:find("@%u"))
  end)

  it("is one for zsh", function()
    local text = shells.zsh()
    assert.equal([[

    'run:it'\''s a run: now'
    'stop:an end'
    '--help:list the commands'
    '--version:tell the version'
  ]], between(text, "commands=(", ")\n  if"))
    assert.equal([[

    run) _arguments -S \
      '(-k)--kind=[one \[of\] two\: it'\''s so]:a|b:(a b)' '(--kind)-k[one \[of\] two\: it'\''s so]:a|b:(a b)' \
      '--in=[where from]:DIR:_files' \
      '--count=[how many]:N: ' \
      '*--key=[a key]:KEY: ' \
      '(-q)--quiet[no words]' '(--quiet)-q[no words]' \
      '--help[this text]' \
      '*:FILE:_files' ;;
    stop) _arguments -S \
      '--help[this text]' \
      '1:what:(now later)' \
      '*:argument: ' ;;
  ]], between(text, "case $words[1] in", "esac"))
    assert.equal("#compdef chainlink-streams", text:match "^[^\n]*")
    assert.is_nil(text:find("@%u"))
  end)

  it("is one for fish", function()
    local text = shells.fish()
    assert.equal([[
complete -c chainlink-streams -f
complete -c chainlink-streams -n '__chainlink_streams_first' -a run -d 'it\'s a run: now'
complete -c chainlink-streams -n '__chainlink_streams_first' -a stop -d 'an end'
complete -c chainlink-streams -n '__chainlink_streams_first' -l help -d 'list the commands'
complete -c chainlink-streams -n '__chainlink_streams_first' -l version -d 'tell the version'
complete -c chainlink-streams -n '__chainlink_streams_is run' -l kind -s k -x -a 'a b' -d 'one [of] two: it\'s so'
complete -c chainlink-streams -n '__chainlink_streams_is run' -l in -r -F -d 'where from'
complete -c chainlink-streams -n '__chainlink_streams_is run' -l count -x -d 'how many'
complete -c chainlink-streams -n '__chainlink_streams_is run' -l key -x -d 'a key'
complete -c chainlink-streams -n '__chainlink_streams_is run' -l quiet -s q -d 'no words'
complete -c chainlink-streams -n '__chainlink_streams_is run' -l help -d 'this text'
complete -c chainlink-streams -n '__chainlink_streams_is run' -F
complete -c chainlink-streams -n '__chainlink_streams_is stop' -l help -d 'this text'
complete -c chainlink-streams -n '__chainlink_streams_begins stop' -a 'now later']],
      text:sub((assert(text:find("complete -c", 1, true)))))
    assert.is_nil(text:find("@%u"))
  end)
end)
