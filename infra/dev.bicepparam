using 'main.bicep'

param environment = 'dev'
param onlineInstanceType = 'Standard_E2s_v3'
param clusterMaxNodes = 2
// of the identity that the pipelines sign in as: az ad sp show --id CLIENT_ID --query id
param pipelinePrincipalId = readEnvironmentVariable('PIPELINE_PRINCIPAL_ID')
