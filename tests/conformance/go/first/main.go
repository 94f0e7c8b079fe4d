// The first version of the reference plugin.
package main

import (
	"conformance"
	"parlor"
)

func init() {
	parlor.Register("conformance", "/conformance", conformance.Version(1))
}

func main() {}
