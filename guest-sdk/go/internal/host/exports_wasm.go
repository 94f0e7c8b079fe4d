package host

import "unsafe"

// answer is where the exports leave what they return, and kept what its addresses lead to: until the next call, since the
// host reads it after the function has returned.
var answer [8]uint64

func answerAt() unsafe.Pointer {
	answer = [8]uint64{}
	return unsafe.Pointer(&answer)
}

func answered() uint32 {
	return addressOf(unsafe.Pointer(&answer))
}

//go:wasmexport parlor:room/guest@0.1.0#init
func exportInit() uint32 {
	release()
	definition, err := start()
	at := answerAt()
	if err != nil {
		putByte(at, 0, 1)
		putText(at, 4, err.Error())
		return answered()
	}
	putText(at, 4, definition.Name)
	putText(at, 12, definition.Path)
	return answered()
}

func start() (Definition, error) {
	if Served == nil {
		return Definition{}, &Refusal{Kind: Other, Words: "no plugin is here: call parlor.Register in a function `init` of package main"}
	}
	return Served.Init()
}

//go:wasmexport parlor:room/guest@0.1.0#authorize
func exportAuthorize(uri, uriLen, room, roomLen, headers, headersLen, remote, remoteLen uint32) uint32 {
	request := Request{URI: text(uri, uriLen), Room: text(room, roomLen), Remote: text(remote, remoteLen)}
	request.Headers = make([][2]string, headersLen)
	for i := range request.Headers {
		header := unsafe.Add(pointer(headers), i*16)
		request.Headers[i] = [2]string{textAt(header, 0), textAt(header, 8)}
	}
	release()
	meta, rejection := Served.Authorize(request)
	at := answerAt()
	switch {
	case rejection != nil:
		putByte(at, 0, 1)
		*(*uint16)(unsafe.Add(at, 4)) = rejection.Status
		putText(at, 8, rejection.Message)
	case meta != nil:
		putByte(at, 4, 1)
		putText(at, 8, meta.UserID)
		putText(at, 16, meta.ClientID)
		putWord(at, 24, list(meta.Channels))
		putWord(at, 28, uint32(len(meta.Channels)))
		putText(at, 32, meta.Fields)
	}
	return answered()
}

//go:wasmexport parlor:room/guest@0.1.0#handle
func exportHandle(
	cause, causeLen, name, nameLen, hasChannel, channel, channelLen, hasPayload, payloadKind, payload, payloadLen,
	hasSocket, socket, answerWanted uint32, acceptedAt float64,
) uint32 {
	event := Event{
		Cause:        text(cause, causeLen),
		Name:         text(name, nameLen),
		AnswerWanted: answerWanted != 0,
		AcceptedAt:   acceptedAt,
	}
	if hasChannel != 0 {
		named := text(channel, channelLen)
		event.Channel = &named
	}
	if hasPayload != 0 {
		event.Payload = &Payload{Binary: payloadKind != 0, Data: text(payload, payloadLen)}
	}
	if hasSocket != 0 {
		event.Socket = &socket
	}
	release()
	reply, failure := Served.Handle(event)
	at := answerAt()
	switch {
	case failure != nil:
		putByte(at, 0, 1)
		putText(at, 4, failure.Code)
		putText(at, 12, failure.Message)
		if failure.ForSender {
			putByte(at, 20, 1)
		}
	case reply != nil:
		putByte(at, 4, 1)
		putByte(at, 8, uint8(kind(*reply)))
		putBytes(at, 12, reply.Data)
	}
	return answered()
}
