// The oracle answers what the real upstream libraries make of our own inputs.
// It reads one JSON request per line and writes one JSON response per line, in the same order.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
)

type request struct {
	Type  string          `json:"type"`
	Input json.RawMessage `json:"input"`
}

type response struct {
	Output any    `json:"output"`
	Error  string `json:"error,omitempty"`
}

type handler func(json.RawMessage) (any, error)

// handle decodes the input into the type that the answering function takes.
func handle[T any](answer func(T) (any, error)) handler {
	return func(raw json.RawMessage) (any, error) {
		var input T
		if err := json.Unmarshal(raw, &input); err != nil {
			return nil, fmt.Errorf("oracle: input does not fit: %w", err)
		}
		return answer(input)
	}
}

var handlers = map[string]handler{
	"kustomize":    handle(kustomizeBuild),
	"flux":         handle(fluxBuild),
	"envsubst":     handle(substitute),
	"kstatus":      handle(computeStatus),
	"sourceignore": handle(filterSource),
	"yaml":         handle(convertYAML),
	"cel":          handle(evaluateCEL),
	"semver":       handle(checkSemver),
}

func main() {
	// Upstream warns about deprecated fields on these; the answers are what counts.
	log.SetOutput(io.Discard)
	os.Stderr, _ = os.Open(os.DevNull)
	reader := bufio.NewReaderSize(os.Stdin, 1<<20)
	writer := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			return
		}
		if err := encoder.Encode(answer(line)); err != nil {
			panic(err)
		}
		if err := writer.Flush(); err != nil {
			return
		}
	}
}

func answer(line []byte) (result response) {
	defer func() {
		if failure := recover(); failure != nil {
			result = response{Error: fmt.Sprintf("panic: %v", failure)}
		}
	}()
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return response{Error: "oracle: " + err.Error()}
	}
	respond, ok := handlers[asked.Type]
	if !ok {
		return response{Error: "oracle: no handler for " + asked.Type}
	}
	output, err := respond(asked.Input)
	if err != nil {
		return response{Output: output, Error: err.Error()}
	}
	return response{Output: output}
}
