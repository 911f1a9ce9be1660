package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// tree holds the files of a case by path; Links are symbolic links by path.
type tree struct {
	Files map[string]string `json:"files"`
	Bytes map[string][]byte `json:"bytes"`
	Links map[string]string `json:"links"`
}

type buildInput struct {
	tree
	Path           string `json:"path"`
	LoadRestrictor string `json:"loadRestrictor"`
	// Folder is built where it is, in the place of the tree.
	Folder string `json:"folder"`
}

// kustomizeBuild prints what `kustomize build` prints.
func kustomizeBuild(input buildInput) (any, error) {
	build := func(root string) (string, error) {
		if input.Folder != "" || input.mentions("openapi") {
			openapi.ResetOpenAPI()
			defer openapi.ResetOpenAPI()
		}
		options := krusty.MakeDefaultOptions()
		// As the program without --reorder: kinds in the old order unless the file says otherwise.
		options.Reorder = krusty.ReorderOptionUnspecified
		if input.LoadRestrictor == "LoadRestrictionsNone" {
			options.LoadRestrictions = types.LoadRestrictionsNone
		}
		built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), filepath.Join(root, input.Path))
		if err != nil {
			return "", err
		}
		text, err := built.AsYaml()
		return string(text), err
	}
	if input.Folder != "" {
		return build(input.Folder)
	}
	return input.inFolder(build)
}

// inFolder writes the tree to a temporary folder for the work; its path never shows in results.
func (t tree) inFolder(work func(root string) (string, error)) (string, error) {
	root, err := os.MkdirTemp("", "plumb-oracle-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(root)
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return "", err
	}
	if err := t.write(root); err != nil {
		return "", err
	}
	text, err := work(root)
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), root, "/tree"))
	}
	return strings.ReplaceAll(text, root, "/tree"), err
}

func (t tree) write(root string) error {
	put := func(path string, content []byte) error {
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, content, 0o644)
	}
	for path, content := range t.Files {
		if err := put(path, []byte(content)); err != nil {
			return err
		}
	}
	for path, content := range t.Bytes {
		if err := put(path, content); err != nil {
			return err
		}
	}
	for path, target := range t.Links {
		link := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(target, link); err != nil {
			return err
		}
	}
	return nil
}

func (t tree) mentions(word string) bool {
	for _, content := range t.Files {
		if strings.Contains(content, word) {
			return true
		}
	}
	for _, content := range t.Bytes {
		if strings.Contains(string(content), word) {
			return true
		}
	}
	return false
}
