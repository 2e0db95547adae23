-- SPDX-License-Identifier: MIT
-- chainlink-streams completion: what a shell is to know of the commands, as a script for it.

local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"

return {
  summary = "a script that completes commands and options in your shell",
  usage = "completion bash|zsh|fish",
  notes = 'bash: eval "$(chainlink-streams completion bash)", in ~/.bashrc\n'
    .. "zsh:  chainlink-streams completion zsh > DIR/_chainlink-streams, DIR being in fpath before compinit\n"
    .. "fish: chainlink-streams completion fish > ~/.config/fish/completions/chainlink-streams.fish\n"
    .. "make install puts all three where these shells look for them",
  unformatted = true,
  options = { session.output_option },
  run = function(_, _, rest)
    local shells = require "chainlink.cli.shells" -- reads the table of commands, which has this one
    local write = #rest == 1 and shells[rest[1]]
    if not write then options.usage_error "completion takes the name of a shell: bash, zsh or fish" end
    output.print(write())
  end,
}
