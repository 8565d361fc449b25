-- Wireshark dissector of the Message Delivery Protocol, docs/protocol.md sections 3 and 4.
-- Wireshark has another protocol named mdp, so filters begin with mdelivery: mdelivery.number > 17.
-- tshark -X lua_script:mdelivery.lua -r FILE; or copy it into Wireshark's folder of personal plugins.
local mdp = Proto("mdelivery", "Message Delivery Protocol")

local HEADER_BYTES = 24
local FRAME_HEAD_BYTES = 8

local packet_types = { [0] = "DATA", [1] = "HELLO", [2] = "HELLO_ACK", [3] = "RESET",
  [4] = "UNKNOWN", [5] = "RETRY" }
local frame_types = { [0] = "PAD", [1] = "MSG", [2] = "FRAG", [3] = "ACK", [4] = "OUTCOME",
  [5] = "CREDIT", [6] = "PING", [7] = "ABANDON", [8] = "PATH_CHALLENGE", [9] = "PATH_RESPONSE",
  [10] = "NACK" }
local outcome_kinds = { [1] = "delivered", [2] = "rejected", [3] = "cancelled",
  [4] = "completed" }

local f = mdp.fields
f.version = ProtoField.uint8("mdelivery.version", "Version", base.DEC, nil, 0xf0)
f.type = ProtoField.uint8("mdelivery.type", "Type", base.DEC, packet_types, 0x0f)
f.flags = ProtoField.uint8("mdelivery.flags", "Flags", base.HEX)
f.ack_now = ProtoField.bool("mdelivery.flags.ack_now", "Acknowledge without delay", 8, nil, 0x01)
f.length = ProtoField.uint16("mdelivery.length", "Length")
f.connection = ProtoField.uint32("mdelivery.connection", "Connection id of the receiver", base.HEX)
f.number = ProtoField.uint64("mdelivery.number", "Packet number")
f.checksum = ProtoField.uint32("mdelivery.checksum", "CRC32C", base.HEX)
f.floor = ProtoField.uint32("mdelivery.floor", "Receive floor")
f.frame = ProtoField.uint8("mdelivery.frame", "Frame", base.DEC, frame_types)
f.frame_flags = ProtoField.uint8("mdelivery.frame.flags", "Flags", base.HEX)
f.frame_length = ProtoField.uint16("mdelivery.frame.length", "Length")
f.frame_id = ProtoField.uint32("mdelivery.frame.id", "Id")
f.message = ProtoField.uint32("mdelivery.message", "Message id (low half)")
f.total = ProtoField.uint32("mdelivery.frag.total", "Bytes of the whole message")
f.offset = ProtoField.uint32("mdelivery.frag.offset", "Offset")
f.data = ProtoField.bytes("mdelivery.data", "Data")
f.ack_delay = ProtoField.uint32("mdelivery.ack.delay", "Delay, us")
f.ack_largest = ProtoField.uint64("mdelivery.ack.largest", "Largest")
f.ack_below = ProtoField.uint32("mdelivery.ack.below", "Packets below it in its run")
f.ack_marks = ProtoField.uint32("mdelivery.ack.marks", "Congestion marks so far")
f.ack_missing = ProtoField.uint32("mdelivery.ack.missing", "Missing below")
f.ack_run = ProtoField.uint32("mdelivery.ack.run", "Received below")
f.outcome = ProtoField.uint8("mdelivery.outcome", "Outcome", base.DEC, outcome_kinds)
f.outcome_first = ProtoField.uint32("mdelivery.outcome.first", "First message id")
f.outcome_count = ProtoField.uint32("mdelivery.outcome.count", "Messages")
f.credit_bytes = ProtoField.uint64("mdelivery.credit.bytes", "Bytes, cumulative")
f.credit_messages = ProtoField.uint64("mdelivery.credit.messages", "Messages, cumulative")
f.nonce = ProtoField.uint64("mdelivery.hello.nonce", "Nonce", base.HEX)
f.echoed = ProtoField.uint64("mdelivery.hello.echoed_nonce", "Nonce that it answers", base.HEX)

local malformed = ProtoExpert.new("mdelivery.malformed", "A frame runs past the packet",
  expert.group.MALFORMED, expert.severity.ERROR)
mdp.experts = { malformed }

local function dissect_ack(body, tree)
  tree:add_le(f.ack_largest, body(0, 8))
  tree:add_le(f.ack_below, body(8, 4))
  tree:add_le(f.ack_marks, body(12, 4))
  for at = 16, body:len() - 8, 8 do
    tree:add_le(f.ack_missing, body(at, 4))
    tree:add_le(f.ack_run, body(at + 4, 4))
  end
end

local function dissect_outcome(body, tree)
  for at = 0, body:len() - 8, 8 do
    tree:add_le(f.outcome_first, body(at, 4))
    tree:add_le(f.outcome_count, body(at + 4, 4))
  end
end

local function dissect_frame_body(kind, head, body, tree)
  if kind == 1 or kind == 2 then tree:add_le(f.message, head(4, 4)) end
  if kind == 1 and body:len() > 0 then
    tree:add(f.data, body)
  elseif kind == 2 and body:len() > 8 then
    tree:add_le(f.total, body(0, 4))
    tree:add_le(f.offset, body(4, 4))
    tree:add(f.data, body(8))
  elseif kind == 3 and body:len() >= 16 then
    tree:add_le(f.ack_delay, head(4, 4))
    dissect_ack(body, tree)
  elseif kind == 4 then
    tree:add(f.outcome, head(1, 1))
    dissect_outcome(body, tree)
  elseif kind == 5 and body:len() >= 16 then
    tree:add_le(f.credit_bytes, body(0, 8))
    tree:add_le(f.credit_messages, body(8, 8))
  elseif kind == 10 then
    for at = 0, body:len() - 4, 4 do tree:add_le(f.message, body(at, 4)) end
  end
end

-- Returns the frames' names; adds an expert item where one runs past the packet.
local function dissect_frames(frames, tree)
  local names = {}
  local at = 0
  while frames:len() - at >= FRAME_HEAD_BYTES do
    local head = frames(at, FRAME_HEAD_BYTES)
    local kind = head(0, 1):uint()
    local length = head(2, 2):le_uint()
    if at + FRAME_HEAD_BYTES + length > frames:len() then
      tree:add_proto_expert_info(malformed)
      return names
    end
    local name = frame_types[kind] or string.format("type %d", kind)
    local branch = tree:add(mdp, frames(at, FRAME_HEAD_BYTES + length), name)
    branch:add(f.frame, head(0, 1))
    branch:add(f.frame_flags, head(1, 1))
    branch:add_le(f.frame_length, head(2, 2))
    branch:add_le(f.frame_id, head(4, 4))
    local body = frames(at + FRAME_HEAD_BYTES, length)
    dissect_frame_body(kind, head, body, branch)
    if kind ~= 0 then names[#names + 1] = name end
    at = at + FRAME_HEAD_BYTES + math.floor((length + 7) / 8) * 8
  end
  return names
end

function mdp.dissector(packet, pinfo, root)
  if packet:len() < HEADER_BYTES then return 0 end
  pinfo.cols.protocol = "MDP"
  local tree = root:add(mdp, packet())
  tree:add(f.version, packet(0, 1))
  tree:add(f.type, packet(0, 1))
  tree:add(f.flags, packet(1, 1)):add(f.ack_now, packet(1, 1))
  tree:add_le(f.length, packet(2, 2))
  tree:add_le(f.connection, packet(4, 4))
  tree:add_le(f.number, packet(8, 8))
  tree:add_le(f.checksum, packet(16, 4))
  tree:add_le(f.floor, packet(20, 4))
  local kind = packet_types[packet(0, 1):bitfield(4, 4)]
  local info = string.format("%s #%s", kind, packet(8, 8):le_uint64())
  if kind == "DATA" and packet:len() > HEADER_BYTES then
    local names = dissect_frames(packet(HEADER_BYTES), tree)
    info = info .. ": " .. table.concat(names, ", ")
  elseif kind == "HELLO" or kind == "HELLO_ACK" then
    tree:add_le(f.nonce, packet(HEADER_BYTES + 8, 8))
    tree:add_le(f.echoed, packet(HEADER_BYTES + 16, 8))
  end
  pinfo.cols.info = info
  return packet:len()
end

-- Version 1, a known type, and a length that is the datagram's.
local function looks_like_mdp(packet, pinfo, root)
  if packet:len() < HEADER_BYTES then return false end
  if packet(0, 1):bitfield(0, 4) ~= 1 or packet(0, 1):bitfield(4, 4) > 5 then return false end
  if packet(2, 2):le_uint() ~= packet:len() then return false end
  mdp.dissector(packet, pinfo, root)
  return true
end

mdp:register_heuristic("udp", looks_like_mdp)
