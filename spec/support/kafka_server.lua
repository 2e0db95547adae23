-- SPDX-License-Identifier: MIT
-- A Kafka broker of our own on this computer, which may be killed and comes back with what it had.

local project = require "spec.support.project"
local restartable = require "spec.support.restartable"
local socket = require "socket"
local tls_server = require "spec.support.tls_server"

local kafka_server = {}
local Server = setmetatable({ name = "Kafka" }, restartable)
Server.__index = Server

--- The folder of its jars; nil, reason where there is none, or no Java.
function kafka_server.jars()
  local output, status = project.run "scripts/kafka"
  if status ~= 0 then return nil, output end
  if select(2, project.run "command -v java") ~= 0 then return nil, "java is not here" end
  return output:match "^[^\n]*"
end

local PROPERTIES = [[
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:CONTROLPORT
listeners=PLAINTEXT://127.0.0.1:PLAINPORT,SASL_SSL://127.0.0.1:SECUREPORT,CONTROLLER://127.0.0.1:CONTROLPORT
advertised.listeners=PLAINTEXT://127.0.0.1:PLAINPORT,SASL_SSL://127.0.0.1:SECUREPORT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs=FOLDER/data
sasl.enabled.mechanisms=PLAIN
ssl.keystore.type=PEM
ssl.keystore.location=FOLDER/keystore
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  user_reader="the-secret";
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
]]

function Server:java(class, words)
  return ("java -Xmx384m -XX:TieredStopAtLevel=1 -cp '%s/*' %s %s"):format(self.jars, class, words)
end

--- A broker of one node: at `servers` for everybody, at `secure_servers` by TLS, with the authority `ca_file`, for the
--- user reader with the password the-secret. It runs when this comes back.
function kafka_server.start(jars)
  local self = setmetatable({ jars = jars, port = restartable.free_port() }, Server)
  self.folder, self.remove = project.folder()
  local values = { CONTROLPORT = self.free_port(), PLAINPORT = self.port, SECUREPORT = self.free_port(),
    FOLDER = self.folder }
  self.servers, self.secure_servers = "127.0.0.1:" .. values.PLAINPORT, "127.0.0.1:" .. values.SECUREPORT
  tls_server.make_certificate(self.folder)
  self.ca_file = self.folder .. "/ca"
  project.write(self.folder .. "/keystore", project.read(self.folder .. "/key") .. project.read(self.ca_file))
  project.write(self.folder .. "/properties", (PROPERTIES:gsub("%u+", values)))
  local words = "format -t chainlinkstreams0000000 -c " .. self.folder .. "/properties"
  local output, status = project.run(self:java("kafka.tools.StorageTool", words))
  assert(status == 0, output)
  self:run()
  return self
end

function Server:command() return self:java("kafka.Kafka", self.folder .. "/properties") end

--- Can it be reached?
function Server:is_up()
  local connection = socket.connect("127.0.0.1", self.port)
  return connection and connection:close() ~= nil
end

return kafka_server
