// The SOPS oracle encrypts and decrypts our own inputs with the real library.
// It reads one JSON request per line and writes one JSON response per line, in the same order.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/azkv"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/gcpkms"
	"github.com/getsops/sops/v3/hcvault"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/kms"
	"github.com/getsops/sops/v3/pgp"
	"github.com/sirupsen/logrus"
)

type masterKey struct {
	Type string `json:"type"`
	// An age recipient, a fingerprint, an ARN, a resource id, the URL of a vault or of a transit key.
	Recipient string `json:"recipient"`
	Enc       string `json:"enc"`
	// AWS KMS.
	Role    string             `json:"role"`
	Context map[string]*string `json:"context"`
	Profile string             `json:"profile"`
	// Azure Key Vault.
	Name    string `json:"name"`
	Version string `json:"version"`
}

type request struct {
	Type string `json:"type"`
	// Of the plain text for encrypt, of the encrypted text for decrypt.
	Format       string `json:"format"`
	OutputFormat string `json:"outputFormat"`
	Text         string `json:"text"`
	// Encrypt: 64 hexadecimal digits, and who may unwrap it. A key without `enc` is wrapped here.
	DataKey         string        `json:"dataKey"`
	KeyGroups       [][]masterKey `json:"keyGroups"`
	ShamirThreshold int           `json:"shamirThreshold"`
	LastModified    string        `json:"lastModified"`

	UnencryptedSuffix       string `json:"unencryptedSuffix"`
	EncryptedSuffix         string `json:"encryptedSuffix"`
	UnencryptedRegex        string `json:"unencryptedRegex"`
	EncryptedRegex          string `json:"encryptedRegex"`
	UnencryptedCommentRegex string `json:"unencryptedCommentRegex"`
	EncryptedCommentRegex   string `json:"encryptedCommentRegex"`
	MACOnlyEncrypted        bool   `json:"macOnlyEncrypted"`
	// Where keys are found, as the sops command finds them.
	Environment map[string]string `json:"environment"`
}

type answer struct {
	Encrypted string `json:"encrypted,omitempty"`
	// Base64, because binary files need not be text.
	Plain string `json:"plain,omitempty"`
}

type response struct {
	Output *answer `json:"output,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// counter stands in for the random source, so that a recording can be repeated.
type counter struct{ next byte }

func (c *counter) Read(out []byte) (int, error) {
	for i := range out {
		c.next++
		out[i] = c.next
	}
	return len(out), nil
}

var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// keyService is the library's own, but for Azure: there it has a token, and lets a vault on loopback name itself.
type keyService struct{ keyservice.Server }

type givenToken struct{}

func (givenToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: os.Getenv("ORACLE_AZURE_TOKEN"), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func azureKey(key *keyservice.AzureKeyVaultKey) *azkv.MasterKey {
	master := azkv.NewMasterKey(key.VaultUrl, key.Name, key.Version)
	azkv.NewTokenCredential(givenToken{}).ApplyToMasterKey(master)
	azkv.NewClientOptions(&azkeys.ClientOptions{DisableChallengeResourceVerification: true}).ApplyToMasterKey(master)
	return master
}

func (ks keyService) Encrypt(ctx context.Context, asked *keyservice.EncryptRequest) (*keyservice.EncryptResponse, error) {
	key, isAzure := asked.Key.KeyType.(*keyservice.Key_AzureKeyvaultKey)
	if !isAzure {
		return ks.Server.Encrypt(ctx, asked)
	}
	master := azureKey(key.AzureKeyvaultKey)
	if err := master.EncryptContext(ctx, asked.Plaintext); err != nil {
		return nil, err
	}
	return &keyservice.EncryptResponse{Ciphertext: master.EncryptedDataKey()}, nil
}

func (ks keyService) Decrypt(ctx context.Context, asked *keyservice.DecryptRequest) (*keyservice.DecryptResponse, error) {
	key, isAzure := asked.Key.KeyType.(*keyservice.Key_AzureKeyvaultKey)
	if !isAzure {
		return ks.Server.Decrypt(ctx, asked)
	}
	master := azureKey(key.AzureKeyvaultKey)
	master.SetEncryptedDataKey(asked.Ciphertext)
	plain, err := master.DecryptContext(ctx)
	return &keyservice.DecryptResponse{Plaintext: plain}, err
}

func keyServices() []keyservice.KeyServiceClient {
	return []keyservice.KeyServiceClient{keyservice.NewCustomLocalClient(keyService{})}
}

func formatOf(name string) formats.Format { return formats.FormatFromString(name) }

func keyGroupsOf(asked request) ([]sops.KeyGroup, error) {
	var groups []sops.KeyGroup
	for _, entries := range asked.KeyGroups {
		var group sops.KeyGroup
		for _, entry := range entries {
			switch entry.Type {
			case "age":
				key, err := age.MasterKeyFromRecipient(entry.Recipient)
				if err != nil {
					return nil, err
				}
				key.EncryptedKey = entry.Enc
				group = append(group, key)
			case "pgp":
				key := pgp.NewMasterKeyFromFingerprint(entry.Recipient)
				key.EncryptedKey = entry.Enc
				key.CreationDate = created
				group = append(group, key)
			case "kms":
				key := kms.NewMasterKeyWithProfile(entry.Recipient, entry.Role, entry.Context, entry.Profile)
				key.EncryptedKey = entry.Enc
				key.CreationDate = created
				group = append(group, key)
			case "gcp_kms":
				key := gcpkms.NewMasterKeyFromResourceID(entry.Recipient)
				key.EncryptedKey = entry.Enc
				key.CreationDate = created
				group = append(group, key)
			case "azure_kv":
				key := azkv.NewMasterKey(entry.Recipient, entry.Name, entry.Version)
				key.EncryptedKey = entry.Enc
				key.CreationDate = created
				group = append(group, key)
			case "hc_vault":
				key, err := hcvault.NewMasterKeyFromURI(entry.Recipient)
				if err != nil {
					return nil, err
				}
				key.EncryptedKey = entry.Enc
				key.CreationDate = created
				group = append(group, key)
			default:
				return nil, fmt.Errorf("oracle: no key type %s", entry.Type)
			}
		}
		groups = append(groups, group)
	}
	return groups, nil
}

func encrypt(asked request) (*answer, error) {
	store := common.StoreForFormat(formatOf(asked.Format), config.NewStoresConfig())
	branches, err := store.LoadPlainFile([]byte(asked.Text))
	if err != nil {
		return nil, err
	}
	groups, err := keyGroupsOf(asked)
	if err != nil {
		return nil, err
	}
	dataKey, err := hex.DecodeString(asked.DataKey)
	if err != nil {
		return nil, err
	}
	tree := sops.Tree{Branches: branches, Metadata: sops.Metadata{
		KeyGroups:               groups,
		ShamirThreshold:         asked.ShamirThreshold,
		UnencryptedSuffix:       asked.UnencryptedSuffix,
		EncryptedSuffix:         asked.EncryptedSuffix,
		UnencryptedRegex:        asked.UnencryptedRegex,
		EncryptedRegex:          asked.EncryptedRegex,
		UnencryptedCommentRegex: asked.UnencryptedCommentRegex,
		EncryptedCommentRegex:   asked.EncryptedCommentRegex,
		MACOnlyEncrypted:        asked.MACOnlyEncrypted,
		Version:                 "3.13.2",
	}}
	rules := asked.UnencryptedSuffix + asked.EncryptedSuffix + asked.UnencryptedRegex + asked.EncryptedRegex +
		asked.UnencryptedCommentRegex + asked.EncryptedCommentRegex
	if rules == "" {
		// As the sops command does.
		tree.Metadata.UnencryptedSuffix = sops.DefaultUnencryptedSuffix
	}
	if groups[0][0].EncryptedDataKey() == nil || len(groups[0][0].EncryptedDataKey()) == 0 {
		if failures := tree.Metadata.UpdateMasterKeysWithKeyServices(dataKey, keyServices()); len(failures) > 0 {
			return nil, errors.Join(failures...)
		}
	}
	real := rand.Reader
	rand.Reader = &counter{}
	defer func() { rand.Reader = real }()
	cipher := aes.NewCipher()
	mac, err := tree.Encrypt(dataKey, cipher)
	if err != nil {
		return nil, err
	}
	tree.Metadata.LastModified, err = time.Parse(time.RFC3339, asked.LastModified)
	if err != nil {
		return nil, err
	}
	tree.Metadata.MessageAuthenticationCode, err = cipher.Encrypt(mac, dataKey, asked.LastModified)
	if err != nil {
		return nil, err
	}
	out, err := store.EmitEncryptedFile(tree)
	if err != nil {
		return nil, err
	}
	return &answer{Encrypted: string(out)}, nil
}

func decrypt(asked request) (*answer, error) {
	store := common.StoreForFormat(formatOf(asked.Format), config.NewStoresConfig())
	tree, err := store.LoadEncryptedFile([]byte(asked.Text))
	if err != nil {
		return nil, err
	}
	key, err := tree.Metadata.GetDataKeyWithKeyServices(keyServices(), sops.DefaultDecryptionOrder)
	if err != nil {
		return nil, err
	}
	cipher := aes.NewCipher()
	mac, err := tree.Decrypt(key, cipher)
	if err != nil {
		return nil, err
	}
	recorded, err := cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, key, tree.Metadata.LastModified.Format(time.RFC3339))
	if err != nil {
		return nil, err
	}
	if recorded != mac {
		return nil, sops.MacMismatch
	}
	output := asked.OutputFormat
	if output == "" {
		output = asked.Format
	}
	out, err := common.StoreForFormat(formatOf(output), config.NewStoresConfig()).EmitPlainFile(tree.Branches)
	if err != nil {
		return nil, err
	}
	return &answer{Plain: base64.StdEncoding.EncodeToString(out)}, nil
}

func respond(line []byte) (result response) {
	defer func() {
		if failure := recover(); failure != nil {
			result = response{Error: fmt.Sprintf("panic: %v", failure)}
		}
	}()
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return response{Error: "oracle: " + err.Error()}
	}
	handlers := map[string]func(request) (*answer, error){"encrypt": encrypt, "decrypt": decrypt}
	handler, ok := handlers[asked.Type]
	if !ok {
		return response{Error: "oracle: no handler for " + asked.Type}
	}
	for name, value := range asked.Environment {
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	output, err := handler(asked)
	if err != nil {
		return response{Error: err.Error()}
	}
	return response{Output: output}
}

func main() {
	logrus.SetOutput(io.Discard)
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
		if err := encoder.Encode(respond(bytes.TrimSpace(line))); err != nil {
			panic(err)
		}
		if err := writer.Flush(); err != nil {
			return
		}
	}
}
