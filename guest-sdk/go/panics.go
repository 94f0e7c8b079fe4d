package parlor

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"parlor/internal/host"
)

// How many frames of a panic's stack go to the log.
const framesShown = 12

// guarded runs a function of the author's; a panic of it is an error that names file and line.
func (r *instance) guarded(run func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	return run()
}

// panicked makes an error of a panic, and writes the way to it into the log. It runs while the panicking frames are there.
func panicked(value any) error {
	frames := framesOfPanic()
	message := fmt.Sprint(value)
	if failed, ok := value.(error); ok {
		message = failed.Error()
	}
	message = strings.TrimPrefix(message, "runtime error: ")
	if at := firstOfAuthor(frames); at >= 0 {
		message += " (" + place(frames[at]) + ", in " + frames[at].Function + ")"
	}
	trace := strings.Builder{}
	trace.WriteString("panic: " + message)
	for _, frame := range frames[:min(len(frames), framesShown)] {
		trace.WriteString("\n    " + place(frame) + ", in " + frame.Function)
	}
	host.Write(host.Error, trace.String())
	return &Error{Code: "panic", Message: message}
}

// place is where a frame is, from the folder of the plugin's go.mod.
func place(frame runtime.Frame) string {
	return strings.TrimPrefix(frame.File, module()+"/") + ":" + strconv.Itoa(frame.Line)
}

// module is the path of the plugin's own module.
func module() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Path
	}
	return ""
}

// framesOfPanic answers the frames below the panic, from the one that panicked, without the SDK's own.
func framesOfPanic() []runtime.Frame {
	counters := make([]uintptr, 64)
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters)])
	found := []runtime.Frame{}
	below := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			below = true
		case below && !strings.HasPrefix(frame.Function, "parlor."):
			found = append(found, frame)
		}
		if !more || frame.Function == "parlor.(*instance).guarded" {
			return found
		}
	}
}

// firstOfAuthor answers where the first frame is that is not of Go's own library; -1 where there is none.
func firstOfAuthor(frames []runtime.Frame) int {
	own := module() + "/"
	for i, frame := range frames {
		first, _, _ := strings.Cut(frame.Function, "/")
		inModule := first != frame.Function && strings.Contains(first, ".")
		if strings.HasPrefix(frame.Function, "main.") || strings.HasPrefix(frame.Function, own) || inModule {
			return i
		}
	}
	return -1
}
