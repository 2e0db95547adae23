-- SPDX-License-Identifier: MIT
-- A broker of librdkafka's own, inside this process, for what needs no Java.

local project = require "spec.support.project"

local kafka_mock = {}

-- Inodes of this process's sockets; a shell's parent is this process.
local function own_sockets()
  local own = {}
  for inode in project.run("ls -l /proc/$PPID/fd"):gmatch "socket:%[(%d+)%]" do own[inode] = true end
  return own
end

-- Ports of 127.0.0.1 that this process listens on.
local function listening()
  local own, ports = own_sockets(), {}
  for line in project.read "/proc/net/tcp":gmatch "[^\n]+" do
    local port, state, inode = line:match "^ *%d+: 0100007F:(%x+) %S+ (%x+) %S+ %S+ %S+ +%d+ +%d+ (%d+) "
    if state == "0A" and own[inode] then ports[tonumber(port, 16)] = true end
  end
  return ports
end

--- open: opens a client with the settings it is given, which has the broker. -> what it answers, and the broker's
--- address.
function kafka_mock.start(open)
  local before = listening()
  local client = assert(open { "test.mock.num.brokers", "1" })
  for port in pairs(listening()) do
    if not before[port] then return client, "127.0.0.1:" .. port end
  end
  error "the broker listens nowhere"
end

return kafka_mock
