/** How the keys of providers begin who give theirs a beginning of their own, by provider. */
export const KEY_BEGINNINGS: readonly string[] = [
  ...['ATATT3', 'AKCp', 'age-secret-key-1', 'AGE-SECRET-KEY-1'], // Atlassian, Artifactory, age
  ...['xkeysib-', 'dckr_pat_', 'dop_v1_', 'doo_v1_', 'dor_v1_'], // Brevo, Docker, DigitalOcean
  ...['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.', 'dp.scim.', 'dp.audit.'], // Doppler
  ...['figd_', 'figo_', 'figor_', 'fo1_', 'fm1_', 'fm2_'], // Figma, Fly
  ...['gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-', 'glft-', 'glimt-', 'glagent-'], // GitLab
  ...['ya29.', 'GOCSPX-', 'glsa_', 'glc_', 'gsk_', 'HRKU-'], // Google, Grafana, Groq, Heroku
  ...['lin_api_', 'lin_oauth_', 'NRAK-', 'ntn_', 'secret_'], // Linear, New Relic, Notion
  ...['pplx-', 'pscale_tkn_', 'pscale_pw_', 'PMAK-', 'pul-', 'pypi-'], // Perplexity, PlanetScale, Postman, Pulumi, PyPI
  ...['r8_', 'rubygems_', 'sntrys_', 'sntryu_'], // Replicate, RubyGems, Sentry
  ...['shpat_', 'shpca_', 'shppa_', 'shpss_', 'sq0atp-', 'sq0csp-', 'sbp_', 'sb_secret_'], // Shopify, Square, Supabase
  ...['tvly-', 'hvs.', 'hvb.', 'hvr.', 'vercel_', 'vcp_', 'xai-'], // Tavily, Vault, Vercel, xAI
];
