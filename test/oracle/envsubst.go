package main

import "github.com/fluxcd/pkg/envsubst"

type substituteInput struct {
	Text      string            `json:"text"`
	Variables map[string]string `json:"variables"`
	Lenient   bool              `json:"lenient"`
}

func substitute(input substituteInput) (any, error) {
	return envsubst.Eval(input.Text, func(name string) (string, bool) {
		value, isSet := input.Variables[name]
		return value, isSet || input.Lenient
	})
}
