package parlor

import (
	"fmt"

	"parlor/internal/host"
)

// Log writes lines to the plugin's log, which has them with plugin, version and room. A turn keeps 64 lines of up to 1 KiB.
// Lines stay where their turn fails. What is printed to standard output is in the log as well, as info, and what is printed
// to standard error as warn.
type Log struct{}

// Debugf is for whoever looks for a fault.
func (Log) Debugf(format string, values ...any) {
	host.Write(host.Debug, fmt.Sprintf(format, values...))
}

// Infof is what is worth knowing.
func (Log) Infof(format string, values ...any) {
	host.Write(host.Info, fmt.Sprintf(format, values...))
}

// Warnf is that something looks wrong.
func (Log) Warnf(format string, values ...any) {
	host.Write(host.Warn, fmt.Sprintf(format, values...))
}

// Errorf is that something went wrong.
func (Log) Errorf(format string, values ...any) {
	host.Write(host.Error, fmt.Sprintf(format, values...))
}
