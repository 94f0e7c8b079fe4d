package parlor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Methods that other packages call by an interface: nobody writes their names.
var byInterface = map[string]bool{"Error": true, "MarshalJSON": true, "UnmarshalJSON": true, "String": true, "Init": true, "Handle": true}

// parsed is the files of a folder, those of tests or the others.
func parsed(t *testing.T, folder string, tests bool) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v files, %v", folder, names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// public is the exported names of a file that are documented, and those that are not.
func public(file *ast.File) (with, without []string) {
	add := func(name *ast.Ident, doc *ast.CommentGroup) {
		switch {
		case !name.IsExported():
		case strings.TrimSpace(doc.Text()) == "":
			without = append(without, name.Name)
		default:
			with = append(with, name.Name)
		}
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil || ofExported(decl.Recv.List[0].Type) {
				add(decl.Name, decl.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name, decl.Doc)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(name, docOf(spec, decl))
					}
				}
			}
		}
	}
	return with, without
}

// docOf is a value's own comment, or that of the declaration which it is alone in.
func docOf(spec *ast.ValueSpec, decl *ast.GenDecl) *ast.CommentGroup {
	if spec.Doc == nil && len(decl.Specs) == 1 {
		return decl.Doc
	}
	return spec.Doc
}

func ofExported(receiver ast.Expr) bool {
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}

// used is the names that the examples of a folder use.
func used(t *testing.T, folder string) map[string]bool {
	names := map[string]bool{}
	for _, file := range parsed(t, folder, true) {
		ast.Inspect(file, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok {
				names[selector.Sel.Name] = true
			}
			return true
		})
	}
	return names
}

func TestEveryPublicItemIsDocumentedAndStandsInAnExample(t *testing.T) {
	if _, err := os.Stat("parlortest"); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{".", "parlortest"} {
		examples := used(t, folder)
		for _, file := range parsed(t, folder, false) {
			with, without := public(file)
			for _, name := range without {
				t.Errorf("%s in %s has no comment", name, folder)
			}
			for _, name := range with {
				if !byInterface[name] && !examples[name] {
					t.Errorf("%s in %s stands in no example", name, folder)
				}
			}
		}
	}
}
