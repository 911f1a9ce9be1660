package main

import (
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
)

type sourceInput struct {
	tree
	Ignore *string `json:"ignore"`
}

// filterSource lists the files that stay, as source-controller archives them.
func filterSource(input sourceInput) (any, error) {
	kept := []string{}
	_, err := input.inFolder(func(root string) (string, error) {
		domain := strings.Split(root, string(filepath.Separator))
		patterns, err := sourceignore.LoadIgnorePatterns(root, domain)
		if err != nil {
			return "", err
		}
		if input.Ignore != nil {
			patterns = append(patterns, sourceignore.ReadPatterns(strings.NewReader(*input.Ignore), domain)...)
		}
		matcher := matcherFor(patterns, domain)
		return "", filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			if !matcher.Match(strings.Split(path, string(filepath.Separator)), info.IsDir()) {
				kept = append(kept, strings.TrimPrefix(path, root+"/"))
			}
			return nil
		})
	})
	sort.Strings(kept)
	return kept, err
}

func matcherFor(patterns []gitignore.Pattern, domain []string) gitignore.Matcher {
	if len(patterns) == 0 {
		return sourceignore.NewDefaultMatcher(patterns, domain)
	}
	return sourceignore.NewMatcher(append(sourceignore.VCSPatterns(domain), patterns...))
}
