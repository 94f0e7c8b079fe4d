// The second version of the reference plugin.
package main

import (
	"conformance"
	"parlor"
)

func init() {
	parlor.Register("conformance", "/conformance", conformance.Version(2))
}

func main() {}
